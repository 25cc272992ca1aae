package org.espalier.network;

import java.util.List;
import java.util.function.LongFunction;

/** Awkward little models: every switch of every family is thrown in at least one of them. */
@SuppressWarnings("ImmutableEnumChecker") // the makers are lambdas without state
enum TinyModels {
    LLAMA_GROUPED_TIED(seed ->
            TinyModel.llamaLike(
                    """
                    {'model_type': 'llama', 'vocab_size': 37, 'hidden_size': 24,
                     'intermediate_size': 29, 'num_hidden_layers': 3,
                     'num_attention_heads': 6, 'num_key_value_heads': 2,
                     'max_position_embeddings': 64, 'rms_norm_eps': 1e-5,
                     'tie_word_embeddings': true}\
                    """,
                    seed)),
    LLAMA_BIASED_WIDE_HEADS_LLAMA3(seed ->
            TinyModel.llamaLike(
                    """
                    {'model_type': 'llama', 'vocab_size': 19, 'hidden_size': 10,
                     'intermediate_size': 7, 'num_hidden_layers': 2,
                     'num_attention_heads': 3, 'num_key_value_heads': 1, 'head_dim': 14,
                     'attention_bias': true, 'mlp_bias': true, 'rope_theta': 500,
                     'rope_scaling': {'rope_type': 'llama3', 'factor': 8.0,
                      'low_freq_factor': 1.0, 'high_freq_factor': 4.0,
                      'original_max_position_embeddings': 32}}\
                    """,
                    seed)),
    LLAMA_LINEAR_OLD_DIALECT_GELU(seed ->
            TinyModel.llamaLike(
                    """
                    {'model_type': 'llama', 'vocab_size': 11, 'hidden_size': 12,
                     'intermediate_size': 5, 'num_hidden_layers': 1,
                     'num_attention_heads': 2, 'num_key_value_heads': 2,
                     'hidden_act': 'gelu', 'rope_theta': 100.0,
                     'rope_scaling': {'type': 'linear', 'factor': 3.0}}\
                    """,
                    seed)),
    LLAMA_NEW_DIALECT_RELU(seed ->
            TinyModel.llamaLike(
                    """
                    {'model_type': 'llama', 'vocab_size': 11, 'hidden_size': 8,
                     'intermediate_size': 9, 'num_hidden_layers': 2,
                     'num_attention_heads': 2, 'num_key_value_heads': 1,
                     'hidden_act': 'relu',
                     'rope_parameters': {'rope_type': 'linear', 'rope_theta': 77.0,
                      'factor': 2.0}}\
                    """,
                    seed)),
    MISTRAL_WINDOW(seed ->
            TinyModel.llamaLike(
                    """
                    {'model_type': 'mistral', 'vocab_size': 23, 'hidden_size': 16,
                     'intermediate_size': 21, 'num_hidden_layers': 3,
                     'num_attention_heads': 4, 'num_key_value_heads': 2,
                     'sliding_window': 5}\
                    """,
                    seed)),
    QWEN2_WINDOW_IN_LATER_BLOCKS(seed ->
            TinyModel.llamaLike(
                    """
                    {'model_type': 'qwen2', 'vocab_size': 31, 'hidden_size': 18,
                     'intermediate_size': 13, 'num_hidden_layers': 3,
                     'num_attention_heads': 3, 'num_key_value_heads': 1,
                     'use_sliding_window': true, 'sliding_window': 4,
                     'max_window_layers': 2, 'tie_word_embeddings': true}\
                    """,
                    seed)),
    QWEN3_HEAD_NORMS_LAYER_TYPES(seed ->
            TinyModel.llamaLike(
                    """
                    {'model_type': 'qwen3', 'vocab_size': 17, 'hidden_size': 20,
                     'intermediate_size': 11, 'num_hidden_layers': 3,
                     'num_attention_heads': 4, 'num_key_value_heads': 2, 'head_dim': 6,
                     'attention_bias': true, 'use_sliding_window': true,
                     'sliding_window': 3, 'rope_theta': 1000000.0,
                     'layer_types': ['sliding_attention', 'full_attention',
                      'sliding_attention']}\
                    """,
                    seed)),
    GPT2(seed ->
            TinyModel.gpt2(
                    """
                    {'model_type': 'gpt2', 'vocab_size': 29, 'n_embd': 15, 'n_layer': 2,
                     'n_head': 3, 'n_positions': 40, 'n_inner': null}\
                    """,
                    "transformer.",
                    seed)),
    GPT2_BARE_UNTIED(seed ->
            TinyModel.gpt2(
                    """
                    {'model_type': 'gpt2', 'vocab_size': 7, 'n_embd': 8, 'n_layer': 2,
                     'n_head': 2, 'n_positions': 40, 'n_inner': 13,
                     'activation_function': 'relu', 'layer_norm_epsilon': 1e-3,
                     'tie_word_embeddings': false}\
                    """,
                    "",
                    seed)),
    PHI3_PARTIAL_ROTARY_WINDOW(seed ->
            TinyFamilies.phi3(
                    """
                    {'model_type': 'phi3', 'vocab_size': 23, 'hidden_size': 32,
                     'intermediate_size': 19, 'num_hidden_layers': 2,
                     'num_attention_heads': 4, 'num_key_value_heads': 2,
                     'partial_rotary_factor': 0.75, 'sliding_window': 6}\
                    """,
                    seed)),
    PHI3_LONGROPE_SHORT(seed ->
            TinyFamilies.phi3(
                    """
                    {'model_type': 'phi3', 'vocab_size': 13, 'hidden_size': 12,
                     'intermediate_size': 9, 'num_hidden_layers': 2,
                     'num_attention_heads': 2, 'num_key_value_heads': 1,
                     'max_position_embeddings': 64, 'original_max_position_embeddings': 16,
                     'rope_scaling': {'type': 'longrope', 'short_factor': [1.0, 1.1, 1.3],
                      'long_factor': [1.5, 3.0, 4.5]}}\
                    """,
                    seed)),
    PHI3_LONGROPE_LONG(seed ->
            TinyFamilies.phi3(
                    """
                    {'model_type': 'phi3', 'vocab_size': 13, 'hidden_size': 12,
                     'intermediate_size': 9, 'num_hidden_layers': 2,
                     'num_attention_heads': 2, 'num_key_value_heads': 2,
                     'max_position_embeddings': 64, 'original_max_position_embeddings': 4,
                     'rope_scaling': {'type': 'su', 'short_factor': [1.0, 1.1, 1.3],
                      'long_factor': [1.5, 3.0, 4.5]}}\
                    """,
                    seed)),
    NEOX_PARALLEL(seed ->
            TinyFamilies.neox(
                    """
                    {'model_type': 'gpt_neox', 'vocab_size': 21, 'hidden_size': 24,
                     'intermediate_size': 31, 'num_hidden_layers': 2,
                     'num_attention_heads': 3, 'rotary_emb_base': 300}\
                    """,
                    seed)),
    NEOX_SEQUENTIAL_UNBIASED(seed ->
            TinyFamilies.neox(
                    """
                    {'model_type': 'gpt_neox', 'vocab_size': 17, 'hidden_size': 16,
                     'intermediate_size': 11, 'num_hidden_layers': 2,
                     'num_attention_heads': 2, 'rotary_pct': 1.0,
                     'use_parallel_residual': false, 'attention_bias': false}\
                    """,
                    seed)),
    OPT(seed ->
            TinyFamilies.opt(
                    """
                    {'model_type': 'opt', 'vocab_size': 19, 'hidden_size': 15,
                     'word_embed_proj_dim': 15, 'ffn_dim': 22, 'num_hidden_layers': 2,
                     'num_attention_heads': 3, 'max_position_embeddings': 30}\
                    """,
                    seed)),
    OPT_NORMS_AFTER_NARROW_EMBEDDING(seed ->
            TinyFamilies.opt(
                    """
                    {'model_type': 'opt', 'vocab_size': 19, 'hidden_size': 16,
                     'word_embed_proj_dim': 10, 'ffn_dim': 7, 'num_hidden_layers': 2,
                     'num_attention_heads': 2, 'max_position_embeddings': 30,
                     'do_layer_norm_before': false, 'enable_bias': false,
                     'tie_word_embeddings': false}\
                    """,
                    seed)),
    BLOOM_OLD_NAMES(seed ->
            TinyFamilies.bloom(
                    """
                    {'model_type': 'bloom', 'vocab_size': 19, 'n_embed': 15, 'n_layer': 2,
                     'num_attention_heads': 3}\
                    """,
                    15,
                    "",
                    seed)),
    BLOOM_NEW_NAMES(seed ->
            TinyFamilies.bloom(
                    """
                    {'model_type': 'bloom', 'vocab_size': 9, 'hidden_size': 12, 'n_layer': 2,
                     'n_head': 4}\
                    """,
                    12,
                    "transformer.",
                    seed)),
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
    LLAMA_YARN(seed ->
            TinyModel.llamaLike(
                    """
                    {'model_type': 'llama', 'vocab_size': 19, 'hidden_size': 32,
                     'intermediate_size': 7, 'num_hidden_layers': 2,
                     'num_attention_heads': 2, 'num_key_value_heads': 1, 'rope_theta': 200.0,
                     'rope_scaling': {'rope_type': 'yarn', 'factor': 4.0,
                      'original_max_position_embeddings': 512, 'beta_fast': 20}}\
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
                    seed));

    static final List<TinyModels> ALL = List.of(values());

    private final LongFunction<TinyModel> maker;

    TinyModels(LongFunction<TinyModel> maker) {
        this.maker = maker;
    }

    TinyModel make(long seed) {
        return maker.apply(seed);
    }
}
