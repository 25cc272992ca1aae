package org.espalier.bench;

import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.tensor.Tensors;
import org.espalier.network.Decoder;
import org.espalier.network.WeightSource;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** A Llama of real proportions with random float32 weights in memory, for timing. */
final class RandomLlama implements WeightSource, AutoCloseable {
    private final ObjectNode config = new JsonMapper().createObjectNode();
    private final Map<String, Tensor> tensors = new LinkedHashMap<>();

    /** Heads are 64 wide, four query heads share a key head. */
    RandomLlama(int hidden, int intermediate, int blocks, int vocabulary, long seed) {
        torch.manual_seed(seed);
        config.put("model_type", "llama")
                .put("vocab_size", vocabulary)
                .put("hidden_size", hidden)
                .put("intermediate_size", intermediate)
                .put("num_hidden_layers", blocks)
                .put("num_attention_heads", hidden / 64)
                .put("num_key_value_heads", hidden / 256)
                .put("max_position_embeddings", 4096)
                .put("rms_norm_eps", 1e-5)
                .put("rope_theta", 10000.0)
                .put("tie_word_embeddings", true);
        random("model.embed_tokens", vocabulary, hidden);
        ones("model.norm", hidden);
        for (int block = 0; block < blocks; block++) {
            String prefix = "model.layers." + block + ".";
            ones(prefix + "input_layernorm", hidden);
            ones(prefix + "post_attention_layernorm", hidden);
            random(prefix + "self_attn.q_proj", hidden, hidden);
            random(prefix + "self_attn.k_proj", hidden / 4, hidden);
            random(prefix + "self_attn.v_proj", hidden / 4, hidden);
            random(prefix + "self_attn.o_proj", hidden, hidden);
            random(prefix + "mlp.gate_proj", intermediate, hidden);
            random(prefix + "mlp.up_proj", intermediate, hidden);
            random(prefix + "mlp.down_proj", hidden, intermediate);
        }
    }

    Decoder open() {
        return Decoder.open(config, this);
    }

    private void random(String module, long rows, long columns) {
        try (PointerScope scope = new PointerScope()) {
            Tensor values =
                    torch.randn(new long[] {rows, columns}, Tensors.options(ScalarType.Float));
            tensors.put(
                    module + ".weight",
                    Tensors.own(values.mul(new Scalar(1 / Math.sqrt((double) columns)))));
        }
    }

    private void ones(String module, long width) {
        try (PointerScope scope = new PointerScope()) {
            tensors.put(
                    module + ".weight",
                    Tensors.own(torch.ones(new long[] {width}, Tensors.options(ScalarType.Float))));
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
