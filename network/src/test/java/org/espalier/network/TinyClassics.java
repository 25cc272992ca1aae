package org.espalier.network;

import java.util.function.LongFunction;

/** Awkward little models of the families that are laid out otherwise: Phi-3, GPT-NeoX, OPT, BLOOM. */
@SuppressWarnings("ImmutableEnumChecker") // the makers are lambdas without state
enum TinyClassics implements TinyModels {
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
    BLOOM_SEVEN_HEADS(seed ->
            TinyFamilies.bloom(
                    """
                    {'model_type': 'bloom', 'vocab_size': 9, 'hidden_size': 14, 'n_layer': 1,
                     'n_head': 7}\
                    """,
                    14,
                    "",
                    seed)),
    PHI3_LONGROPE_OLD_NAME_OWN_FACTOR(seed ->
            TinyFamilies.phi3(
                    """
                    {'model_type': 'phi3', 'vocab_size': 13, 'hidden_size': 12,
                     'intermediate_size': 9, 'num_hidden_layers': 1,
                     'num_attention_heads': 2, 'num_key_value_heads': 1,
                     'max_position_embeddings': 64, 'original_max_position_embeddings': 32,
                     'rope_scaling': {'type': 'yarn', 'factor': 8.0,
                      'short_factor': [1.2, 1.1, 1.3], 'long_factor': [1.5, 3.0, 4.5]}}\
                    """,
                    seed));

    private final LongFunction<TinyModel> maker;

    TinyClassics(LongFunction<TinyModel> maker) {
        this.maker = maker;
    }

    @Override
    public TinyModel make(long seed) {
        return maker.apply(seed);
    }
}
