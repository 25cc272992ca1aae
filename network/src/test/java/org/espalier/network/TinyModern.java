package org.espalier.network;

/** Random checkpoints of Gemma 2 and 3 and of the mixtures of experts, spelled out from their definitions. */
final class TinyModern {
    private TinyModern() {}

    static TinyModel make(String config, long seed) {
        TinyModel model = new TinyModel(config, seed);
        String type = model.config.get("model_type").stringValue();
        boolean gemma = type.startsWith("gemma");
        int hidden = model.number("hidden_size");
        model.random("model.embed_tokens.weight", model.number("vocab_size"), hidden);
        for (int i = 0; i < model.number("num_hidden_layers"); i++) {
            String block = "model.layers." + i + ".";
            norm(model, gemma, block + "input_layernorm.weight", hidden);
            attention(model, type, block + "self_attn.");
            norm(model, gemma, block + "post_attention_layernorm.weight", hidden);
            if (gemma) {
                norm(model, true, block + "pre_feedforward_layernorm.weight", hidden);
                norm(model, true, block + "post_feedforward_layernorm.weight", hidden);
            }
            feedForward(model, type, i, block);
        }
        norm(model, gemma, "model.norm.weight", hidden);
        if (!gemma) {
            model.random("lm_head.weight", model.number("vocab_size"), hidden);
        }
        return model;
    }

    private static void attention(TinyModel model, String type, String module) {
        int hidden = model.number("hidden_size");
        int heads = model.number("num_attention_heads");
        int kvHeads = model.number("num_key_value_heads");
        int width = model.config.path("head_dim").asInt(hidden / heads);
        boolean biased = type.equals("qwen2_moe") && model.config.path("qkv_bias").asBoolean(true);
        model.linear(module + "q_proj", heads * width, hidden, biased);
        model.linear(module + "k_proj", kvHeads * width, hidden, biased);
        model.linear(module + "v_proj", kvHeads * width, hidden, biased);
        model.linear(module + "o_proj", hidden, heads * width, false);
        if (type.equals("gemma3_text") || type.equals("qwen3_moe")) {
            norm(model, type.startsWith("gemma"), module + "q_norm.weight", width);
            norm(model, type.startsWith("gemma"), module + "k_norm.weight", width);
        } else if (type.equals("olmoe")) {
            model.norm(module + "q_norm.weight", heads * width);
            model.norm(module + "k_norm.weight", kvHeads * width);
        }
    }

    private static void feedForward(TinyModel model, String type, int index, String block) {
        boolean dense = type.startsWith("gemma");
        if (type.endsWith("_moe")) {
            dense = (index + 1) % model.config.path("decoder_sparse_step").asInt(1) != 0;
            for (var only : model.config.path("mlp_only_layers")) {
                dense |= only.intValue() == index;
            }
        }
        if (dense) {
            gated(model, block + "mlp.", model.number("intermediate_size"));
            return;
        }
        boolean mixtral = type.equals("mixtral");
        int hidden = model.number("hidden_size");
        int count = model.number(mixtral ? "num_local_experts" : "num_experts");
        int inner =
                model.number(type.endsWith("_moe") ? "moe_intermediate_size" : "intermediate_size");
        String module = block + (mixtral ? "block_sparse_moe." : "mlp.");
        model.random(module + "gate.weight", count, hidden);
        for (int e = 0; e < count; e++) {
            String expert = module + "experts." + e + ".";
            if (mixtral) {
                model.linear(expert + "w1", inner, hidden, false);
                model.linear(expert + "w2", hidden, inner, false);
                model.linear(expert + "w3", inner, hidden, false);
            } else {
                gated(model, expert, inner);
            }
        }
        if (type.equals("qwen2_moe")) {
            gated(
                    model,
                    module + "shared_expert.",
                    model.number("shared_expert_intermediate_size"));
            model.random(module + "shared_expert_gate.weight", 1, hidden);
        }
    }

    private static void gated(TinyModel model, String module, int inner) {
        int hidden = model.number("hidden_size");
        model.linear(module + "gate_proj", inner, hidden, false);
        model.linear(module + "up_proj", inner, hidden, false);
        model.linear(module + "down_proj", hidden, inner, false);
    }

    /** Gemma stores the scale of a norm less 1. */
    private static void norm(TinyModel model, boolean less, String name, int width) {
        if (less) {
            model.random(name, width);
        } else {
            model.norm(name, width);
        }
    }
}
