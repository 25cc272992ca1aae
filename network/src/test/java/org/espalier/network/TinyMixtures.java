package org.espalier.network;

import java.util.function.LongFunction;

/** Awkward little models of Gemma and of the mixtures of experts. */
@SuppressWarnings("ImmutableEnumChecker") // the makers are lambdas without state
enum TinyMixtures implements TinyModels {
    GEMMA2(seed ->
            TinyModern.make(
                    """
                    {'model_type': 'gemma2', 'vocab_size': 23, 'hidden_size': 12,
                     'intermediate_size': 17, 'num_hidden_layers': 3,
                     'num_attention_heads': 3, 'num_key_value_heads': 1, 'head_dim': 6,
                     'query_pre_attn_scalar': 5, 'sliding_window': 4,
                     'attn_logit_softcapping': 2.0, 'final_logit_softcapping': 3.0}\
                    """,
                    seed)),
    GEMMA3(seed ->
            TinyModern.make(
                    """
                    {'model_type': 'gemma3_text', 'vocab_size': 23, 'hidden_size': 12,
                     'intermediate_size': 7, 'num_hidden_layers': 6,
                     'num_attention_heads': 2, 'num_key_value_heads': 1, 'head_dim': 8,
                     'query_pre_attn_scalar': 11, 'sliding_window': 5,
                     'rope_theta': 5000.0, 'rope_local_base_freq': 100.0,
                     'rope_scaling': {'rope_type': 'linear', 'factor': 8.0}}\
                    """,
                    seed)),
    MIXTRAL(seed ->
            TinyModern.make(
                    """
                    {'model_type': 'mixtral', 'vocab_size': 17, 'hidden_size': 12,
                     'intermediate_size': 7, 'num_hidden_layers': 2,
                     'num_attention_heads': 3, 'num_key_value_heads': 1,
                     'num_local_experts': 4, 'num_experts_per_tok': 2}\
                    """,
                    seed)),
    QWEN2_MOE_SHARED_EXPERT(seed ->
            TinyModern.make(
                    """
                    {'model_type': 'qwen2_moe', 'vocab_size': 17, 'hidden_size': 12,
                     'intermediate_size': 15, 'moe_intermediate_size': 5,
                     'shared_expert_intermediate_size': 9, 'num_hidden_layers': 3,
                     'num_attention_heads': 2, 'num_key_value_heads': 2, 'num_experts': 5,
                     'num_experts_per_tok': 3, 'mlp_only_layers': [1]}\
                    """,
                    seed)),
    QWEN3_MOE_EVERY_OTHER_BLOCK(seed ->
            TinyModern.make(
                    """
                    {'model_type': 'qwen3_moe', 'vocab_size': 17, 'hidden_size': 12,
                     'intermediate_size': 11, 'moe_intermediate_size': 6,
                     'num_hidden_layers': 2, 'num_attention_heads': 2,
                     'num_key_value_heads': 1, 'head_dim': 8, 'num_experts': 6,
                     'num_experts_per_tok': 2, 'decoder_sparse_step': 2,
                     'norm_topk_prob': true}\
                    """,
                    seed)),
    OLMOE_CLIPPED(seed ->
            TinyModern.make(
                    """
                    {'model_type': 'olmoe', 'vocab_size': 17, 'hidden_size': 12,
                     'intermediate_size': 6, 'num_hidden_layers': 2,
                     'num_attention_heads': 2, 'num_key_value_heads': 1,
                     'num_experts': 4, 'num_experts_per_tok': 1, 'clip_qkv': 0.9}\
                    """,
                    seed)),
    DEEPSEEK_V2_GREEDY(seed ->
            TinyDeepseek.make(
                    """
                    {'model_type': 'deepseek_v2', 'vocab_size': 19, 'hidden_size': 15,
                     'intermediate_size': 11, 'moe_intermediate_size': 5,
                     'num_hidden_layers': 3, 'num_attention_heads': 3,
                     'q_lora_rank': null, 'kv_lora_rank': 7, 'qk_nope_head_dim': 5,
                     'qk_rope_head_dim': 4, 'v_head_dim': 3, 'n_routed_experts': 5,
                     'n_shared_experts': 2, 'num_experts_per_tok': 2,
                     'first_k_dense_replace': 1, 'rms_norm_eps': 1e-3}\
                    """,
                    seed)),
    DEEPSEEK_V2_GROUPS_YARN(seed ->
            TinyDeepseek.make(
                    """
                    {'model_type': 'deepseek_v2', 'vocab_size': 19, 'hidden_size': 12,
                     'intermediate_size': 11, 'moe_intermediate_size': 5,
                     'num_hidden_layers': 2, 'num_attention_heads': 2,
                     'q_lora_rank': 6, 'kv_lora_rank': 5, 'qk_nope_head_dim': 4,
                     'qk_rope_head_dim': 16, 'v_head_dim': 6, 'n_routed_experts': 6,
                     'n_shared_experts': null, 'num_experts_per_tok': 3,
                     'first_k_dense_replace': 0, 'topk_method': 'group_limited_greedy',
                     'n_group': 3, 'topk_group': 2, 'routed_scaling_factor': 4.0,
                     'attention_bias': true, 'rope_scaling': {'type': 'yarn', 'factor': 40,
                      'mscale': 0.6, 'mscale_all_dim': 0.9, 'beta_fast': 32, 'beta_slow': 1,
                      'original_max_position_embeddings': 4096}}\
                    """,
                    seed)),
    DEEPSEEK_V3_YARN(seed ->
            TinyDeepseek.make(
                    """
                    {'model_type': 'deepseek_v3', 'vocab_size': 19, 'hidden_size': 12,
                     'intermediate_size': 11, 'moe_intermediate_size': 5,
                     'num_hidden_layers': 3, 'num_attention_heads': 2,
                     'q_lora_rank': 6, 'kv_lora_rank': 5, 'qk_nope_head_dim': 4,
                     'qk_rope_head_dim': 8, 'v_head_dim': 6, 'n_routed_experts': 8,
                     'n_shared_experts': 1, 'num_experts_per_tok': 3, 'n_group': 4,
                     'topk_group': 2, 'first_k_dense_replace': 1, 'num_key_value_heads': 2,
                     'rope_scaling': {'type': 'yarn', 'factor': 40, 'mscale': 1.0,
                      'mscale_all_dim': 1.0, 'beta_fast': 32, 'beta_slow': 1,
                      'original_max_position_embeddings': 4096}}\
                    """,
                    seed)),
    DEEPSEEK_V3_HALVES_UNNORMALISED(seed ->
            TinyDeepseek.make(
                    """
                    {'model_type': 'deepseek_v3', 'vocab_size': 11, 'hidden_size': 10,
                     'intermediate_size': 9, 'moe_intermediate_size': 4,
                     'num_hidden_layers': 3, 'moe_layer_freq': 2, 'num_attention_heads': 3,
                     'q_lora_rank': null, 'kv_lora_rank': 6, 'qk_nope_head_dim': 3,
                     'qk_rope_head_dim': 6, 'v_head_dim': 5, 'n_routed_experts': 6,
                     'n_shared_experts': 2, 'num_experts_per_tok': 2, 'n_group': 2,
                     'topk_group': 1, 'first_k_dense_replace': 1,
                     'rope_interleave': false, 'norm_topk_prob': false,
                     'routed_scaling_factor': 1.5}\
                    """,
                    seed)),
    QWEN2_MOE_EVERY_OTHER_WINDOW(seed ->
            TinyModern.make(
                    """
                    {'model_type': 'qwen2_moe', 'vocab_size': 17, 'hidden_size': 12,
                     'intermediate_size': 15, 'moe_intermediate_size': 5,
                     'shared_expert_intermediate_size': 3, 'num_hidden_layers': 5,
                     'num_attention_heads': 2, 'num_key_value_heads': 1, 'num_experts': 3,
                     'num_experts_per_tok': 1, 'norm_topk_prob': true, 'qkv_bias': false,
                     'use_sliding_window': true, 'sliding_window': 3,
                     'max_window_layers': 4}\
                    """,
                    seed)),
    GEMMA3_ROPE_PER_LAYER_TYPE(seed ->
            TinyModern.make(
                    """
                    {'model_type': 'gemma3_text', 'vocab_size': 23, 'hidden_size': 12,
                     'intermediate_size': 7, 'num_hidden_layers': 3,
                     'num_attention_heads': 2, 'num_key_value_heads': 2, 'head_dim': 6,
                     'query_pre_attn_scalar': 7, 'sliding_window': 4,
                     'layer_types': ['full_attention', 'sliding_attention',
                      'full_attention'],
                     'rope_parameters': {
                      'full_attention': {'rope_type': 'linear', 'rope_theta': 3000.0,
                       'factor': 4.0},
                      'sliding_attention': {'rope_type': 'linear', 'rope_theta': 50.0,
                       'factor': 2.0}}}\
                    """,
                    seed));

    private final LongFunction<TinyModel> maker;

    TinyMixtures(LongFunction<TinyModel> maker) {
        this.maker = maker;
    }

    @Override
    public TinyModel make(long seed) {
        return maker.apply(seed);
    }
}
