package org.espalier.prune;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.tensor.Tensors;
import org.espalier.network.Decoder;
import org.espalier.network.WeightSource;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** A random Llama of three blocks in memory: width 12, MLP 20, 3 query heads on 1 key head, vocabulary 17. */
final class TinyLlama implements WeightSource, AutoCloseable {
    static final int BLOCKS = 3;
    private static final int HIDDEN = 12;
    private static final int INTERMEDIATE = 20;
    private static final int VOCABULARY = 17;

    private final Map<String, Tensor> tensors = new LinkedHashMap<>();
    private final Random random;

    TinyLlama(long seed) {
        random = new Random(seed);
        matrix("model.embed_tokens", VOCABULARY, HIDDEN);
        matrix("lm_head", VOCABULARY, HIDDEN);
        norm("model.norm");
        for (int block = 0; block < BLOCKS; block++) {
            String prefix = "model.layers." + block + ".";
            norm(prefix + "input_layernorm");
            norm(prefix + "post_attention_layernorm");
            matrix(prefix + "self_attn.q_proj", HIDDEN, HIDDEN);
            matrix(prefix + "self_attn.k_proj", 4, HIDDEN);
            matrix(prefix + "self_attn.v_proj", 4, HIDDEN);
            matrix(prefix + "self_attn.o_proj", HIDDEN, HIDDEN);
            matrix(prefix + "mlp.gate_proj", INTERMEDIATE, HIDDEN);
            matrix(prefix + "mlp.up_proj", INTERMEDIATE, HIDDEN);
            matrix(prefix + "mlp.down_proj", HIDDEN, INTERMEDIATE);
        }
    }

    static ObjectNode config() {
        return new JsonMapper()
                .readValue(
                        """
                        {"model_type": "llama", "vocab_size": 17, "hidden_size": 12, "intermediate_size": 20,
                         "num_hidden_layers": 3, "num_attention_heads": 3, "num_key_value_heads": 1,
                         "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
                         "tie_word_embeddings": false}
                        """,
                        ObjectNode.class);
    }

    Decoder open() {
        return Decoder.open(config(), this);
    }

    private void matrix(String module, int rows, int columns) {
        float[] values = new float[rows * columns];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (random.nextGaussian() / Math.sqrt(columns));
        }
        put(module, values, rows, columns);
    }

    private void norm(String module) {
        float[] values = new float[HIDDEN];
        for (int i = 0; i < values.length; i++) {
            values[i] = 0.5f + random.nextFloat();
        }
        put(module, values, HIDDEN);
    }

    private void put(String module, float[] values, long... shape) {
        try (PointerScope scope = new PointerScope()) {
            tensors.put(module + ".weight", Tensors.own(Tensors.floats(values, shape)));
        }
    }

    @Override
    public boolean contains(String name) {
        return tensors.containsKey(name);
    }

    @Override
    public long[] shape(String name) {
        return Tensors.shape(tensor(name));
    }

    @Override
    public Tensor tensor(String name) {
        Tensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new IllegalArgumentException("no tensor " + name);
        }
        return tensor;
    }

    @Override
    public void close() {
        tensors.values().forEach(Tensor::close);
    }
}
