package org.espalier.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.bytedeco.javacpp.PointerScope;
import org.espalier.checkpoint.DType;
import org.espalier.checkpoint.SafetensorsWriter;
import org.espalier.checkpoint.TensorSpec;
import org.espalier.core.tensor.Tensors;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A random float32 checkpoint on disk in the layout of Llama and its kin or of GPT-2, as its config.json asks. */
final class RandomModel {
    private final JsonNode config;
    private final Map<String, long[]> shapes = new LinkedHashMap<>();

    private RandomModel(JsonNode config) {
        this.config = config;
    }

    /** Writes a model; quotes in {@code config} may be single. */
    static Path write(Path folder, String config, long seed) throws IOException {
        Files.createDirectories(folder);
        RandomModel model =
                new RandomModel(JsonMapper.shared().readTree(config.replace('\'', '"')));
        Files.writeString(folder.resolve("config.json"), model.config.toString());
        if (model.type().equals("gpt2")) {
            model.gpt2();
        } else {
            model.llamaLike();
        }
        model.weights(folder.resolve("model.safetensors"), new Random(seed));
        return folder;
    }

    private void llamaLike() {
        long hidden = number("hidden_size");
        long inner = number("intermediate_size");
        long headDim =
                config.has("head_dim")
                        ? number("head_dim")
                        : hidden / number("num_attention_heads");
        long queries = number("num_attention_heads") * headDim;
        long keys = number("num_key_value_heads") * headDim;
        boolean biased = type().equals("qwen2") || config.path("use_qkv_bias").asBoolean(false);
        boolean shifted = type().equals("stablelm");
        put("model.embed_tokens.weight", number("vocab_size"), hidden);
        for (int i = 0; i < number("num_hidden_layers"); i++) {
            String block = "model.layers." + i + ".";
            norm(block + "input_layernorm", hidden, shifted);
            linear(block + "self_attn.q_proj", queries, hidden, biased);
            linear(block + "self_attn.k_proj", keys, hidden, biased);
            linear(block + "self_attn.v_proj", keys, hidden, biased);
            linear(block + "self_attn.o_proj", hidden, queries, false);
            if (type().equals("qwen3")) {
                put(block + "self_attn.q_norm.weight", headDim);
                put(block + "self_attn.k_norm.weight", headDim);
            }
            norm(block + "post_attention_layernorm", hidden, shifted);
            linear(block + "mlp.gate_proj", inner, hidden, false);
            linear(block + "mlp.up_proj", inner, hidden, false);
            linear(block + "mlp.down_proj", hidden, inner, false);
        }
        norm("model.norm", hidden, shifted);
        if (!config.path("tie_word_embeddings").asBoolean(false)) {
            put("lm_head.weight", number("vocab_size"), hidden);
        }
    }

    private void gpt2() {
        long hidden = number("n_embd");
        put("transformer.wte.weight", number("vocab_size"), hidden);
        put("transformer.wpe.weight", number("n_positions"), hidden);
        for (int i = 0; i < number("n_layer"); i++) {
            String block = "transformer.h." + i + ".";
            norm(block + "ln_1", hidden, true);
            transposed(block + "attn.c_attn", hidden, 3 * hidden);
            transposed(block + "attn.c_proj", hidden, hidden);
            norm(block + "ln_2", hidden, true);
            transposed(block + "mlp.c_fc", hidden, number("n_inner"));
            transposed(block + "mlp.c_proj", number("n_inner"), hidden);
        }
        norm("transformer.ln_f", hidden, true);
    }

    private void norm(String name, long width, boolean shifted) {
        put(name + ".weight", width);
        if (shifted) {
            put(name + ".bias", width);
        }
    }

    private void transposed(String name, long in, long out) {
        put(name + ".weight", in, out);
        put(name + ".bias", out);
    }

    private void linear(String name, long out, long in, boolean biased) {
        put(name + ".weight", out, in);
        if (biased) {
            put(name + ".bias", out);
        }
    }

    private void put(String name, long... shape) {
        shapes.put(name, shape);
    }

    private String type() {
        return config.path("model_type").asString("");
    }

    private long number(String key) {
        return config.required(key).longValue();
    }

    private void weights(Path file, Random random) {
        List<TensorSpec> plan = new ArrayList<>();
        shapes.forEach((name, shape) ->
                plan.add(new TensorSpec(name, DType.F32, Arrays.stream(shape).boxed().toList())));
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, plan, Map.of());
                PointerScope scope = new PointerScope()) {
            for (TensorSpec spec : plan) {
                boolean norm = spec.shape().size() == 1 && spec.name().endsWith(".weight");
                float[] values = new float[(int) spec.elements()];
                for (int i = 0; i < values.length; i++) {
                    values[i] = (float) ((norm ? 1 : 0) + 0.4 * random.nextGaussian());
                }
                long[] shape = spec.shape().stream().mapToLong(Long::longValue).toArray();
                writer.write(spec.name(), Tensors.floats(values, shape));
            }
            writer.commit();
        }
    }
}
