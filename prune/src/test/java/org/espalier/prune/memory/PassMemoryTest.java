package org.espalier.prune.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.espalier.network.DecoderConfig;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** What a pass takes beside its block. */
class PassMemoryTest {
    private static final String LLAMA =
            """
            {"model_type": "llama", "vocab_size": 17, "hidden_size": 8, "intermediate_size": 12,
             "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1}
            """;

    private static final String MIXTRAL =
            """
            {"model_type": "mixtral", "vocab_size": 17, "hidden_size": 8, "intermediate_size": 12,
             "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1,
             "num_local_experts": 40, "num_experts_per_tok": 2}
            """;

    private static final String BLOOM =
            """
            {"model_type": "bloom", "vocab_size": 17, "hidden_size": 32, "n_layer": 2, "n_head": 16}
            """;

    private static final String GEMMA2 =
            """
            {"model_type": "gemma2", "vocab_size": 17, "hidden_size": 32, "intermediate_size": 40,
             "num_hidden_layers": 2, "num_attention_heads": 8, "num_key_value_heads": 4,
             "head_dim": 4, "query_pre_attn_scalar": 4, "attn_logit_softcapping": 50.0,
             "final_logit_softcapping": 30.0, "sliding_window": 700,
             "max_position_embeddings": 16384}
            """;

    @Test
    void routersAndWhatReachesAnExpertCount() {
        long plain = 4 * 20 * (4 * 8 + 2 * 8 + 7 * 8 + 4 * 4);
        assertThat(bytes(LLAMA, 20, 10)).isEqualTo(plain);
        assertThat(bytes(MIXTRAL, 20, 10)).isEqualTo(4 * 20 * (4 * 8 + 2 * 8 + 6 * 40 + 3 * 8));
    }

    /** A line per head for slopes, 4 million scores at a time under caps, and nothing with the square of the text. */
    @Test
    void scoresOfALongTextCountAsTheyAreMade() {
        long channels = 4 * 32 + 2 * 32 + 7 * 32 + 4 * 32;
        assertThat(bytes(BLOOM, 8192, 8192))
                .isEqualTo(4 * (8192 * channels + 2 * 16 * (8192 + 1024)));
        long rows = (1L << 22) / (8 * 8192);
        long capped = 4 * 32 + 2 * 32 + 7 * 32 + 4 * 16;
        assertThat(bytes(GEMMA2, 8192, 8192))
                .isEqualTo(4 * (8192 * capped + 2 * (8192 + rows) + 5 * 8 * rows * 8192));
    }

    private static long bytes(String config, long tokens, long longest) {
        ObjectNode json = (ObjectNode) JsonMapper.shared().readTree(config);
        return PassMemory.bytes(DecoderConfig.of(json), List.of(), tokens, longest);
    }
}
