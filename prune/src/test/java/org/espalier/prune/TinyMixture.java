package org.espalier.prune;

/** Mixtures of experts small enough to be computed again by hand: three blocks of routed experts. */
final class TinyMixture {
    static final int VOCABULARY = 29;
    private static final String MIXTRAL =
            """
            {"model_type": "mixtral", "vocab_size": 29, "hidden_size": 16, "intermediate_size": 20,
             "num_hidden_layers": 3, "num_attention_heads": 2, "num_key_value_heads": 1,
             "num_local_experts": 4, "num_experts_per_tok": 2}
            """;
    private static final String QWEN2_MOE =
            """
            {"model_type": "qwen2_moe", "vocab_size": 29, "hidden_size": 16, "intermediate_size": 20,
             "moe_intermediate_size": 12, "shared_expert_intermediate_size": 10, "num_hidden_layers": 3,
             "num_attention_heads": 2, "num_key_value_heads": 1, "num_experts": 5,
             "num_experts_per_tok": 2}
            """;

    private TinyMixture() {}

    /** Routed experts alone. */
    static TinyCheckpoint mixtral(long seed) {
        TinyCheckpoint model = new TinyCheckpoint(MIXTRAL, seed);
        frame(model);
        for (int block = 0; block < 3; block++) {
            String module = "model.layers." + block + ".block_sparse_moe.";
            model.matrix(module + "gate.weight", 4, 16);
            for (int expert = 0; expert < 4; expert++) {
                String name = module + "experts." + expert + ".";
                model.matrix(name + "w1.weight", 20, 16);
                model.matrix(name + "w3.weight", 20, 16);
                model.matrix(name + "w2.weight", 16, 20);
            }
        }
        return model;
    }

    /** Routed experts and a shared one. */
    static TinyCheckpoint withSharedExpert(long seed) {
        TinyCheckpoint model = new TinyCheckpoint(QWEN2_MOE, seed);
        frame(model);
        for (int block = 0; block < 3; block++) {
            String module = "model.layers." + block + ".";
            for (String kind : new String[] {"q", "k", "v"}) {
                model.matrix(module + "self_attn." + kind + "_proj.bias", rows(kind));
            }
            module += "mlp.";
            model.matrix(module + "gate.weight", 5, 16);
            model.matrix(module + "shared_expert_gate.weight", 1, 16);
            gated(model, module + "shared_expert.", 10);
            for (int expert = 0; expert < 5; expert++) {
                gated(model, module + "experts." + expert + ".", 12);
            }
        }
        return model;
    }

    private static void frame(TinyCheckpoint model) {
        model.matrix("model.embed_tokens.weight", VOCABULARY, 16);
        model.matrix("lm_head.weight", VOCABULARY, 16);
        model.norm("model.norm.weight", 16);
        for (int block = 0; block < 3; block++) {
            String module = "model.layers." + block + ".";
            model.norm(module + "input_layernorm.weight", 16);
            model.norm(module + "post_attention_layernorm.weight", 16);
            for (String kind : new String[] {"q", "k", "v", "o"}) {
                model.matrix(module + "self_attn." + kind + "_proj.weight", rows(kind), 16);
            }
        }
    }

    private static void gated(TinyCheckpoint model, String module, int width) {
        model.matrix(module + "gate_proj.weight", width, 16);
        model.matrix(module + "up_proj.weight", width, 16);
        model.matrix(module + "down_proj.weight", 16, width);
    }

    private static long rows(String kind) {
        return kind.equals("k") || kind.equals("v") ? 8 : 16;
    }
}
