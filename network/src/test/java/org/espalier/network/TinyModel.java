package org.espalier.network;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.stream.LongStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.UserError;
import org.espalier.core.tensor.Tensors;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * A random checkpoint in the naming and layout of its family, in memory: a config.json, values by name, and tensors over
 * copies of them. Names and shapes are spelled out here once more, so that a slip in a descriptor shows.
 */
final class TinyModel implements WeightSource, AutoCloseable {
    final ObjectNode config;
    final Map<String, float[]> values = new LinkedHashMap<>();
    final Map<String, long[]> shapes = new LinkedHashMap<>();
    private final Map<String, Tensor> tensors = new LinkedHashMap<>();
    private final Random random;

    TinyModel(String config, long seed) {
        this.config = (ObjectNode) JsonMapper.shared().readTree(config.replace('\'', '"'));
        this.random = new Random(seed);
    }

    /** Tensors of the Llama layout; biases and head norms as the config of the family asks for. */
    static TinyModel llamaLike(String config, long seed) {
        TinyModel model = new TinyModel(config, seed);
        int hidden = model.number("hidden_size");
        int heads = model.number("num_attention_heads");
        int kvHeads = model.number("num_key_value_heads");
        int headDim = model.config.has("head_dim") ? model.number("head_dim") : hidden / heads;
        int inner = model.number("intermediate_size");
        int vocabulary = model.number("vocab_size");
        String type = model.config.get("model_type").stringValue();
        boolean attentionBias = model.config.path("attention_bias").asBoolean(false);
        boolean mlpBias = model.config.path("mlp_bias").asBoolean(false);
        model.random("model.embed_tokens.weight", vocabulary, hidden);
        for (int i = 0; i < model.number("num_hidden_layers"); i++) {
            String block = "model.layers." + i + ".";
            model.norm(block + "input_layernorm.weight", hidden);
            boolean qkvBias = attentionBias || type.equals("qwen2");
            model.linear(block + "self_attn.q_proj", heads * headDim, hidden, qkvBias);
            model.linear(block + "self_attn.k_proj", kvHeads * headDim, hidden, qkvBias);
            model.linear(block + "self_attn.v_proj", kvHeads * headDim, hidden, qkvBias);
            model.linear(block + "self_attn.o_proj", hidden, heads * headDim, attentionBias);
            if (type.equals("qwen3")) {
                model.norm(block + "self_attn.q_norm.weight", headDim);
                model.norm(block + "self_attn.k_norm.weight", headDim);
            }
            model.norm(block + "post_attention_layernorm.weight", hidden);
            model.linear(block + "mlp.gate_proj", inner, hidden, mlpBias);
            model.linear(block + "mlp.up_proj", inner, hidden, mlpBias);
            model.linear(block + "mlp.down_proj", hidden, inner, mlpBias);
        }
        model.norm("model.norm.weight", hidden);
        if (!model.config.path("tie_word_embeddings").asBoolean(false)) {
            model.random("lm_head.weight", vocabulary, hidden);
        }
        return model;
    }

    /** Tensors of the GPT-2 layout, with {@code prefix} before every name but the head's. */
    static TinyModel gpt2(String config, String prefix, long seed) {
        TinyModel model = new TinyModel(config, seed);
        int hidden = model.number("n_embd");
        int inner = model.config.path("n_inner").asInt(4 * hidden);
        model.random(prefix + "wte.weight", model.number("vocab_size"), hidden);
        model.random(prefix + "wpe.weight", model.number("n_positions"), hidden);
        for (int i = 0; i < model.number("n_layer"); i++) {
            String block = prefix + "h." + i + ".";
            model.norm(block + "ln_1.weight", hidden);
            model.random(block + "ln_1.bias", hidden);
            model.random(block + "attn.bias", 1, 1, 4, 4);
            model.random(block + "attn.c_attn.weight", hidden, 3L * hidden);
            model.random(block + "attn.c_attn.bias", 3L * hidden);
            model.random(block + "attn.c_proj.weight", hidden, hidden);
            model.random(block + "attn.c_proj.bias", hidden);
            model.norm(block + "ln_2.weight", hidden);
            model.random(block + "ln_2.bias", hidden);
            model.random(block + "mlp.c_fc.weight", hidden, inner);
            model.random(block + "mlp.c_fc.bias", inner);
            model.random(block + "mlp.c_proj.weight", inner, hidden);
            model.random(block + "mlp.c_proj.bias", hidden);
        }
        model.norm(prefix + "ln_f.weight", hidden);
        model.random(prefix + "ln_f.bias", hidden);
        if (!model.config.path("tie_word_embeddings").asBoolean(true)) {
            model.random("lm_head.weight", model.number("vocab_size"), hidden);
        }
        return model;
    }

    /** Random ids of its vocabulary. */
    long[] ids(int tokens, long seed) {
        Random ids = new Random(seed);
        int vocabulary = number("vocab_size");
        return LongStream.generate(() -> ids.nextInt(vocabulary)).limit(tokens).toArray();
    }

    int number(String key) {
        return config.get(key).intValue();
    }

    void linear(String name, int rows, int columns, boolean bias) {
        random(name + ".weight", rows, columns);
        if (bias) {
            random(name + ".bias", rows);
        }
    }

    void norm(String name, int width) {
        put(name, 1f, 0.3f, width);
    }

    void random(String name, long... shape) {
        put(name, 0f, shape.length == 1 ? 0.3f : 0.25f, shape);
    }

    private void put(String name, float mean, float deviation, long... shape) {
        float[] content = new float[(int) Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
        for (int i = 0; i < content.length; i++) {
            content[i] = mean + deviation * (float) random.nextGaussian();
        }
        set(name, content, shape);
    }

    /** Sets or exchanges a tensor. */
    void set(String name, float[] content, long... shape) {
        values.put(name, content);
        shapes.put(name, shape);
        try (PointerScope scope = new PointerScope()) {
            Tensor old = tensors.put(name, Tensors.own(Tensors.floats(content, shape)));
            if (old != null) {
                old.close();
            }
        }
    }

    void remove(String name) {
        values.remove(name);
        shapes.remove(name);
        Tensor old = tensors.remove(name);
        if (old != null) {
            old.close();
        }
    }

    /** Makes every tensor a leaf that collects gradients. */
    void train() {
        tensors.values().forEach(tensor -> tensor.set_requires_grad(true));
    }

    @Override
    public boolean contains(String name) {
        return shapes.containsKey(name);
    }

    @Override
    public long[] shape(String name) {
        long[] shape = shapes.get(name);
        if (shape == null) {
            throw new UserError("no tensor " + name);
        }
        return shape.clone();
    }

    @Override
    public Tensor tensor(String name) {
        Tensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new UserError("no tensor " + name);
        }
        return tensor;
    }

    @Override
    public void close() {
        tensors.values().forEach(Tensor::close);
    }
}
