package org.espalier.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Objects;
import org.espalier.core.UserError;
import org.espalier.network.family.Experts;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** The settings of DeepSeek-V2-Lite and DeepSeek-V3 as their published config.json files have them. */
class DeepseekConfigTest {
    private static final String LITE =
            """
            {"model_type": "deepseek_v2", "vocab_size": 102400, "hidden_size": 2048, "intermediate_size": 10944,
             "moe_intermediate_size": 1408, "num_hidden_layers": 27, "num_attention_heads": 16,
             "num_key_value_heads": 16, "n_shared_experts": 2, "n_routed_experts": 64, "routed_scaling_factor": 1.0,
             "kv_lora_rank": 512, "q_lora_rank": null, "qk_rope_head_dim": 64, "v_head_dim": 128,
             "qk_nope_head_dim": 128, "topk_method": "greedy", "n_group": 1, "topk_group": 1,
             "num_experts_per_tok": 6, "moe_layer_freq": 1, "first_k_dense_replace": 1, "norm_topk_prob": false,
             "scoring_func": "softmax", "hidden_act": "silu", "max_position_embeddings": 163840, "rope_theta": 10000,
             "rope_scaling": {"beta_fast": 32, "beta_slow": 1, "factor": 40, "mscale": 0.707,
              "mscale_all_dim": 0.707, "original_max_position_embeddings": 4096, "type": "yarn"}}
            """;
    private static final String THIRD =
            """
            {"model_type": "deepseek_v3", "vocab_size": 129280, "hidden_size": 7168, "intermediate_size": 18432,
             "moe_intermediate_size": 2048, "num_hidden_layers": 61, "num_attention_heads": 128,
             "num_key_value_heads": 128, "n_shared_experts": 1, "n_routed_experts": 256,
             "routed_scaling_factor": 2.5, "kv_lora_rank": 512, "q_lora_rank": 1536, "qk_rope_head_dim": 64,
             "v_head_dim": 128, "qk_nope_head_dim": 128, "topk_method": "noaux_tc", "n_group": 8, "topk_group": 4,
             "num_experts_per_tok": 8, "moe_layer_freq": 1, "first_k_dense_replace": 3, "norm_topk_prob": true,
             "scoring_func": "sigmoid", "hidden_act": "silu", "max_position_embeddings": 163840,
             "rope_theta": 10000, "rope_scaling": {"beta_fast": 32, "beta_slow": 1, "factor": 40, "mscale": 1.0,
              "mscale_all_dim": 1.0, "original_max_position_embeddings": 4096, "type": "yarn"}}
            """;

    @Test
    void theLiteModelMakesQueriesAtOnceAndIgnoresItsGroups() {
        DecoderConfig config = DecoderConfig.of(json(LITE));
        assertThat(config.latent()).isEqualTo(new Latent(0, 512, 128, 64, 128, true));
        assertThat(config.headDim()).isEqualTo(192);
        assertThat(config.rotaryWidth()).isEqualTo(64);
        Mixture mixture = Objects.requireNonNull(config.mixture());
        assertThat(mixture.scoring()).isEqualTo(Experts.Scoring.SOFTMAX);
        assertThat(mixture.groups()).isNull();
        assertThat(mixture.sharedIntermediate()).isEqualTo(2 * 1408);
        assertThat(mixture.inBlock().getFirst()).isFalse();
        assertThat(mixture.inBlock().subList(1, 27)).containsOnly(true);
        double growth = 0.1 * 0.707 * Math.log(40) + 1;
        assertThat(config.switches().attentionScale())
                .isCloseTo(growth * growth / Math.sqrt(192), within(1e-15));
    }

    @Test
    void theThirdModelScoresBySigmoidsInGroups() {
        DecoderConfig config = DecoderConfig.of(json(THIRD));
        assertThat(config.latent()).isEqualTo(new Latent(1536, 512, 128, 64, 128, true));
        Mixture mixture = Objects.requireNonNull(config.mixture());
        assertThat(mixture.scoring()).isEqualTo(Experts.Scoring.SIGMOID);
        assertThat(mixture.groups())
                .isEqualTo(new Mixture.Groups(8, 4, Experts.GroupRank.BEST_TWO));
        assertThat(mixture.normalised()).isTrue();
        assertThat(mixture.factor()).isEqualTo(2.5);
        assertThat(mixture.inBlock().indexOf(true)).isEqualTo(3);
        Rope rope = Objects.requireNonNull(config.rope());
        Rope.Yarn yarn = (Rope.Yarn) rope.scaling();
        assertThat(yarn.magnitude()).as("mscale over mscale_all_dim").isEqualTo(1);
        // 64 ln(4096 / (2 pi turns)) / (2 ln 10000) for 32 turns and for 1: 10.47 and 22.51.
        assertThat(yarn.low()).isEqualTo(10);
        assertThat(yarn.high()).isEqualTo(23);
        assertThat(yarn.scale(1, 10)).isEqualTo(1);
        assertThat(yarn.scale(1, 23)).isEqualTo(1.0 / 40);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    n_group              | 7         | 256 experts do not divide into n_group 7
                    n_group              | 256       | fewer than 2 experts in a group
                    topk_group           | 9         | topk_group is 9
                    num_experts_per_tok  | 257       | there are 256 experts
                    num_key_value_heads  | 8         | as many key-value heads as heads
                    kv_lora_rank         | "many"    | kv_lora_rank must be
                    scoring_func         | "softmax" | scoring_func must be "sigmoid"
                    topk_method          | "greedy"  | topk_method must be "noaux_tc"
                    moe_layer_freq       | 0         | moe_layer_freq must be
                    qk_rope_head_dim     | 63        | even head width but it is 63
                    """)
    void wrongSettingsAreNamed(String key, String value, String message) {
        ObjectNode config = json(THIRD);
        config.set(key, JsonMapper.shared().readTree(value));
        assertThatThrownBy(() -> DecoderConfig.of(config))
                .isInstanceOf(UserError.class)
                .hasMessageContaining(message);
    }

    @Test
    void theSecondModelRefusesWhatItsTwoImplementationsDisagreeOn() {
        ObjectNode config = json(LITE).put("norm_topk_prob", true);
        assertThatThrownBy(() -> DecoderConfig.of(config))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("norm_topk_prob must be false but is true");
        assertThatThrownBy(() -> DecoderConfig.of(json(LITE).put("topk_method", "noaux_tc")))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("topk_method must be greedy or group_limited_greedy");
    }

    private static ObjectNode json(String text) {
        return (ObjectNode) JsonMapper.shared().readTree(text);
    }
}
