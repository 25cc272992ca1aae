package org.espalier.network;

import java.util.function.LongFunction;

/** Awkward little models of Llama and those laid out like it, and of GPT-2. */
@SuppressWarnings("ImmutableEnumChecker") // the makers are lambdas without state
enum TinyLlamas implements TinyModels {
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
    LLAMA_YARN(seed ->
            TinyModel.llamaLike(
                    """
                    {'model_type': 'llama', 'vocab_size': 19, 'hidden_size': 32,
                     'intermediate_size': 7, 'num_hidden_layers': 2,
                     'num_attention_heads': 2, 'num_key_value_heads': 1, 'rope_theta': 200.0,
                     'rope_scaling': {'rope_type': 'yarn', 'factor': 4.0,
                      'original_max_position_embeddings': 512, 'beta_fast': 20}}\
                    """,
                    seed));

    private final LongFunction<TinyModel> maker;

    TinyLlamas(LongFunction<TinyModel> maker) {
        this.maker = maker;
    }

    @Override
    public TinyModel make(long seed) {
        return maker.apply(seed);
    }
}
