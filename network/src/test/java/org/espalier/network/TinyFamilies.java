package org.espalier.network;

/** Random checkpoints of the families that are not laid out as Llama or GPT-2, spelled out from their definitions. */
final class TinyFamilies {
    private TinyFamilies() {}

    static TinyModel phi3(String config, long seed) {
        TinyModel model = new TinyModel(config, seed);
        int hidden = model.number("hidden_size");
        int heads = model.number("num_attention_heads");
        int rows = (heads + 2 * model.number("num_key_value_heads")) * hidden / heads;
        int inner = model.number("intermediate_size");
        model.random("model.embed_tokens.weight", model.number("vocab_size"), hidden);
        for (int i = 0; i < model.number("num_hidden_layers"); i++) {
            String block = "model.layers." + i + ".";
            model.norm(block + "input_layernorm.weight", hidden);
            model.linear(block + "self_attn.qkv_proj", rows, hidden, false);
            model.linear(block + "self_attn.o_proj", hidden, hidden, false);
            model.norm(block + "post_attention_layernorm.weight", hidden);
            model.linear(block + "mlp.gate_up_proj", 2 * inner, hidden, false);
            model.linear(block + "mlp.down_proj", hidden, inner, false);
        }
        model.norm("model.norm.weight", hidden);
        model.random("lm_head.weight", model.number("vocab_size"), hidden);
        return model;
    }

    static TinyModel neox(String config, long seed) {
        TinyModel model = new TinyModel(config, seed);
        int hidden = model.number("hidden_size");
        int inner = model.number("intermediate_size");
        boolean bias = model.config.path("attention_bias").asBoolean(true);
        model.random("gpt_neox.embed_in.weight", model.number("vocab_size"), hidden);
        for (int i = 0; i < model.number("num_hidden_layers"); i++) {
            String block = "gpt_neox.layers." + i + ".";
            layerNorm(model, block + "input_layernorm", hidden);
            model.linear(block + "attention.query_key_value", 3 * hidden, hidden, bias);
            model.linear(block + "attention.dense", hidden, hidden, bias);
            layerNorm(model, block + "post_attention_layernorm", hidden);
            model.linear(block + "mlp.dense_h_to_4h", inner, hidden, true);
            model.linear(block + "mlp.dense_4h_to_h", hidden, inner, true);
        }
        layerNorm(model, "gpt_neox.final_layer_norm", hidden);
        model.random("embed_out.weight", model.number("vocab_size"), hidden);
        return model;
    }

    static TinyModel opt(String config, long seed) {
        TinyModel model = new TinyModel(config, seed);
        int hidden = model.number("hidden_size");
        int narrow = model.number("word_embed_proj_dim");
        int inner = model.number("ffn_dim");
        boolean bias = model.config.path("enable_bias").asBoolean(true);
        String decoder = "model.decoder.";
        model.random(decoder + "embed_tokens.weight", model.number("vocab_size"), narrow);
        int positions = model.number("max_position_embeddings") + 2;
        model.random(decoder + "embed_positions.weight", positions, hidden);
        if (narrow != hidden) {
            model.random(decoder + "project_in.weight", hidden, narrow);
            model.random(decoder + "project_out.weight", narrow, hidden);
        }
        for (int i = 0; i < model.number("num_hidden_layers"); i++) {
            String block = decoder + "layers." + i + ".";
            for (String matrix : new String[] {"q_proj", "k_proj", "v_proj", "out_proj"}) {
                model.linear(block + "self_attn." + matrix, hidden, hidden, bias);
            }
            layerNorm(model, block + "self_attn_layer_norm", hidden);
            model.linear(block + "fc1", inner, hidden, bias);
            model.linear(block + "fc2", hidden, inner, bias);
            layerNorm(model, block + "final_layer_norm", hidden);
        }
        if (model.config.path("do_layer_norm_before").asBoolean(true)) {
            layerNorm(model, decoder + "final_layer_norm", hidden);
        }
        if (!model.config.path("tie_word_embeddings").asBoolean(true)) {
            model.random("lm_head.weight", model.number("vocab_size"), narrow);
        }
        return model;
    }

    static TinyModel bloom(String config, int hidden, String prefix, long seed) {
        TinyModel model = new TinyModel(config, seed);
        model.random(prefix + "word_embeddings.weight", model.number("vocab_size"), hidden);
        layerNorm(model, prefix + "word_embeddings_layernorm", hidden);
        for (int i = 0; i < model.number("n_layer"); i++) {
            String block = prefix + "h." + i + ".";
            layerNorm(model, block + "input_layernorm", hidden);
            model.linear(block + "self_attention.query_key_value", 3 * hidden, hidden, true);
            model.linear(block + "self_attention.dense", hidden, hidden, true);
            layerNorm(model, block + "post_attention_layernorm", hidden);
            model.linear(block + "mlp.dense_h_to_4h", 4 * hidden, hidden, true);
            model.linear(block + "mlp.dense_4h_to_h", hidden, 4 * hidden, true);
        }
        layerNorm(model, prefix + "ln_f", hidden);
        return model;
    }

    private static void layerNorm(TinyModel model, String module, int width) {
        model.norm(module + ".weight", width);
        model.random(module + ".bias", width);
    }
}
