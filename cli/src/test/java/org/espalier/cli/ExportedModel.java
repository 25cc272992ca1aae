package org.espalier.cli;

/** Random models of every family that can be exported, with what is special in its rope, its window and its experts. */
enum ExportedModel {
    LLAMA(
            "'model_type': 'llama', 'head_dim': 6, 'num_key_value_heads': 2, 'tie_word_embeddings': true"),
    LLAMA_3_1(
            """
            'model_type': 'llama', 'head_dim': 14, 'num_key_value_heads': 1, 'rope_theta': 500.0,
            'rope_scaling': {'rope_type': 'llama3', 'factor': 8.0, 'low_freq_factor': 1.0,
                             'high_freq_factor': 4.0, 'original_max_position_embeddings': 32}\
            """),
    LLAMA_LINEAR(
            """
            'model_type': 'llama', 'num_key_value_heads': 4,
            'rope_scaling': {'rope_type': 'linear', 'factor': 2.0}\
            """),
    MISTRAL("'model_type': 'mistral', 'num_key_value_heads': 2, 'sliding_window': null"),
    MISTRAL_WINDOW("'model_type': 'mistral', 'num_key_value_heads': 2, 'sliding_window': 5"),
    QWEN2("'model_type': 'qwen2', 'num_key_value_heads': 2, 'tie_word_embeddings': true"),
    QWEN2_WINDOW(
            """
            'model_type': 'qwen2', 'num_key_value_heads': 2, 'use_sliding_window': true,
            'sliding_window': 4, 'max_window_layers': 0\
            """),
    QWEN3("'model_type': 'qwen3', 'num_key_value_heads': 2, 'head_dim': 10"),
    GPT2(
            """
            'model_type': 'gpt2', 'n_embd': 20, 'n_layer': 2, 'n_head': 4, 'n_inner': 36,
            'n_positions': 64\
            """),
    PHI3(
            """
            'model_type': 'phi3', 'num_key_value_heads': 2, 'partial_rotary_factor': 0.67,
            'sliding_window': null\
            """),
    PHI3_LONGROPE(
            """
            'model_type': 'phi3', 'num_key_value_heads': 4, 'original_max_position_embeddings': 16,
            'rope_scaling': {'type': 'longrope', 'short_factor': [1.0, 1.1, 1.3],
                             'long_factor': [1.5, 3.0, 4.5]}\
            """),
    GEMMA2(
            """
            'model_type': 'gemma2', 'num_key_value_heads': 2, 'head_dim': 10,
            'query_pre_attn_scalar': 10, 'sliding_window': 7, 'attn_logit_softcapping': 2.0,
            'final_logit_softcapping': 3.0, 'num_hidden_layers': 26\
            """),
    GEMMA3(
            """
            'model_type': 'gemma3_text', 'num_key_value_heads': 1, 'head_dim': 8,
            'query_pre_attn_scalar': 8, 'sliding_window': 7, 'rope_theta': 50000.0,
            'rope_local_base_freq': 10000.0, 'num_hidden_layers': 7,
            'rope_scaling': {'rope_type': 'linear', 'factor': 8.0}\
            """),
    MIXTRAL(
            """
            'model_type': 'mixtral', 'num_key_value_heads': 2, 'num_local_experts': 5,
            'num_experts_per_tok': 2\
            """),
    QWEN2_MOE(
            """
            'model_type': 'qwen2_moe', 'num_key_value_heads': 4, 'num_experts': 6,
            'num_experts_per_tok': 3, 'moe_intermediate_size': 13,
            'shared_expert_intermediate_size': 17\
            """),
    QWEN3_MOE(
            """
            'model_type': 'qwen3_moe', 'num_key_value_heads': 2, 'head_dim': 10, 'num_experts': 6,
            'num_experts_per_tok': 2, 'moe_intermediate_size': 13, 'norm_topk_prob': true\
            """),
    OLMOE(
            """
            'model_type': 'olmoe', 'num_key_value_heads': 4, 'num_experts': 5,
            'num_experts_per_tok': 2\
            """);

    /** Number of token ids of each. */
    static final int VOCABULARY = 37;

    private final String config;

    ExportedModel(String config) {
        this.config = config;
    }

    String config() {
        String common = "";
        if (this != GPT2) {
            common =
                    """
                    , 'hidden_size': 24, 'intermediate_size': 29, 'num_attention_heads': 4,
                    'max_position_embeddings': 64, 'rms_norm_eps': 1e-5\
                    """;
            common += config.contains("num_hidden_layers") ? "" : ", 'num_hidden_layers': 2";
        }
        return "{" + config + common + ", 'vocab_size': " + VOCABULARY + "}";
    }
}
