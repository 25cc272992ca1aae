package org.espalier.network;

/** Random checkpoints of DeepSeek-V2 and V3, spelled out from their definitions. */
final class TinyDeepseek {
    private TinyDeepseek() {}

    static TinyModel make(String config, long seed) {
        TinyModel model = new TinyModel(config, seed);
        int hidden = model.number("hidden_size");
        boolean third = model.config.get("model_type").stringValue().equals("deepseek_v3");
        model.random("model.embed_tokens.weight", model.number("vocab_size"), hidden);
        for (int i = 0; i < model.number("num_hidden_layers"); i++) {
            String block = "model.layers." + i + ".";
            model.norm(block + "input_layernorm.weight", hidden);
            attention(model, block + "self_attn.");
            model.norm(block + "post_attention_layernorm.weight", hidden);
            if (i < model.number("first_k_dense_replace")
                    || i % model.config.path("moe_layer_freq").asInt(1) != 0) {
                gated(model, block + "mlp.", model.number("intermediate_size"));
            } else {
                experts(model, block + "mlp.", third);
            }
        }
        model.norm("model.norm.weight", hidden);
        model.random("lm_head.weight", model.number("vocab_size"), hidden);
        return model;
    }

    private static void attention(TinyModel model, String module) {
        int hidden = model.number("hidden_size");
        int heads = model.number("num_attention_heads");
        int plain = model.number("qk_nope_head_dim");
        int rotary = model.number("qk_rope_head_dim");
        int value = model.number("v_head_dim");
        int rank = model.number("kv_lora_rank");
        boolean bias = model.config.path("attention_bias").asBoolean(false);
        if (model.config.get("q_lora_rank").isNull()) {
            model.linear(module + "q_proj", heads * (plain + rotary), hidden, false);
        } else {
            int queries = model.number("q_lora_rank");
            model.linear(module + "q_a_proj", queries, hidden, bias);
            model.norm(module + "q_a_layernorm.weight", queries);
            model.linear(module + "q_b_proj", heads * (plain + rotary), queries, false);
        }
        model.linear(module + "kv_a_proj_with_mqa", rank + rotary, hidden, bias);
        model.norm(module + "kv_a_layernorm.weight", rank);
        model.linear(module + "kv_b_proj", heads * (plain + value), rank, false);
        model.linear(module + "o_proj", hidden, heads * value, bias);
    }

    private static void experts(TinyModel model, String module, boolean corrected) {
        int count = model.number("n_routed_experts");
        int inner = model.number("moe_intermediate_size");
        model.random(module + "gate.weight", count, model.number("hidden_size"));
        if (corrected) {
            model.random(module + "gate.e_score_correction_bias", count);
        }
        for (int e = 0; e < count; e++) {
            gated(model, module + "experts." + e + ".", inner);
        }
        if (model.config.path("n_shared_experts").asInt(0) > 0) {
            gated(model, module + "shared_experts.", inner * model.number("n_shared_experts"));
        }
    }

    private static void gated(TinyModel model, String module, int inner) {
        int hidden = model.number("hidden_size");
        model.linear(module + "gate_proj", inner, hidden, false);
        model.linear(module + "up_proj", inner, hidden, false);
        model.linear(module + "down_proj", hidden, inner, false);
    }
}
