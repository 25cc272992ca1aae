package org.espalier.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/** The names and shapes of a checkpoint as Hugging Face has them, spelled out family by family. */
final class RandomShapes {
    private final JsonNode config;
    private final String type;
    private final Map<String, long[]> shapes = new LinkedHashMap<>();

    private RandomShapes(JsonNode config) {
        this.config = config;
        this.type = config.path("model_type").asString("");
    }

    static Map<String, long[]> of(JsonNode config) {
        RandomShapes model = new RandomShapes(config);
        if (model.type.equals("gpt2")) {
            model.gpt2();
        } else if (model.type.equals("bloom")) {
            model.bloom();
        } else {
            model.llamaLike();
        }
        return model.shapes;
    }

    private void llamaLike() {
        long hidden = number("hidden_size");
        boolean shifted = type.equals("stablelm");
        put("model.embed_tokens.weight", number("vocab_size"), hidden);
        for (int i = 0; i < number("num_hidden_layers"); i++) {
            String block = "model.layers." + i + ".";
            norm(block + "input_layernorm", hidden, shifted);
            attention(block + "self_attn.", hidden);
            norm(block + "post_attention_layernorm", hidden, shifted);
            if (type.startsWith("gemma")) {
                put(block + "pre_feedforward_layernorm.weight", hidden);
                put(block + "post_feedforward_layernorm.weight", hidden);
            }
            feedForward(block, hidden);
        }
        norm("model.norm", hidden, shifted);
        boolean tied = config.path("tie_word_embeddings").asBoolean(type.startsWith("gemma"));
        if (!tied) {
            put("lm_head.weight", number("vocab_size"), hidden);
        }
    }

    private void attention(String module, long hidden) {
        long heads = number("num_attention_heads");
        long headDim = config.has("head_dim") ? number("head_dim") : hidden / heads;
        long queries = heads * headDim;
        long keys = number("num_key_value_heads") * headDim;
        boolean biased =
                type.equals("qwen2")
                        || type.equals("qwen2_moe")
                        || config.path("use_qkv_bias").asBoolean(false);
        if (type.equals("phi3")) {
            put(module + "qkv_proj.weight", queries + 2 * keys, hidden);
        } else {
            linear(module + "q_proj", queries, hidden, biased);
            linear(module + "k_proj", keys, hidden, biased);
            linear(module + "v_proj", keys, hidden, biased);
        }
        linear(module + "o_proj", hidden, queries, false);
        if (List.of("qwen3", "qwen3_moe", "gemma3_text").contains(type)) {
            put(module + "q_norm.weight", headDim);
            put(module + "k_norm.weight", headDim);
        } else if (type.equals("olmoe")) {
            put(module + "q_norm.weight", queries);
            put(module + "k_norm.weight", keys);
        }
    }

    private void feedForward(String block, long hidden) {
        long inner = number("intermediate_size");
        switch (type) {
            case "phi3" -> {
                put(block + "mlp.gate_up_proj.weight", 2 * inner, hidden);
                put(block + "mlp.down_proj.weight", hidden, inner);
            }
            case "mixtral" -> {
                put(block + "block_sparse_moe.gate.weight", number("num_local_experts"), hidden);
                for (int e = 0; e < number("num_local_experts"); e++) {
                    String expert = block + "block_sparse_moe.experts." + e + ".";
                    put(expert + "w1.weight", inner, hidden);
                    put(expert + "w2.weight", hidden, inner);
                    put(expert + "w3.weight", inner, hidden);
                }
            }
            case "olmoe" -> experts(block, hidden, inner);
            case "qwen3_moe" -> experts(block, hidden, number("moe_intermediate_size"));
            case "qwen2_moe" -> {
                experts(block, hidden, number("moe_intermediate_size"));
                long shared = number("shared_expert_intermediate_size");
                gated(block + "mlp.shared_expert.", hidden, shared);
                put(block + "mlp.shared_expert_gate.weight", 1, hidden);
            }
            default -> gated(block + "mlp.", hidden, inner);
        }
    }

    private void experts(String block, long hidden, long inner) {
        put(block + "mlp.gate.weight", number("num_experts"), hidden);
        for (int e = 0; e < number("num_experts"); e++) {
            gated(block + "mlp.experts." + e + ".", hidden, inner);
        }
    }

    private void gated(String module, long hidden, long inner) {
        put(module + "gate_proj.weight", inner, hidden);
        put(module + "up_proj.weight", inner, hidden);
        put(module + "down_proj.weight", hidden, inner);
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

    private void bloom() {
        long hidden = number("hidden_size");
        put("word_embeddings.weight", number("vocab_size"), hidden);
        norm("word_embeddings_layernorm", hidden, true);
        for (int i = 0; i < number("n_layer"); i++) {
            String block = "h." + i + ".";
            norm(block + "input_layernorm", hidden, true);
            linear(block + "self_attention.query_key_value", 3 * hidden, hidden, true);
            linear(block + "self_attention.dense", hidden, hidden, true);
            norm(block + "post_attention_layernorm", hidden, true);
            linear(block + "mlp.dense_h_to_4h", 4 * hidden, hidden, true);
            linear(block + "mlp.dense_4h_to_h", hidden, 4 * hidden, true);
        }
        norm("ln_f", hidden, true);
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

    private long number(String key) {
        return config.required(key).longValue();
    }
}
