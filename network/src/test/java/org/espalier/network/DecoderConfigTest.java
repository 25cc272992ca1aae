package org.espalier.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Objects;
import java.util.function.Consumer;
import org.espalier.core.UserError;
import org.espalier.network.family.Families;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

class DecoderConfigTest {
    private static final String LLAMA =
            """
            {"model_type": "llama", "vocab_size": 32000, "hidden_size": 4096,
             "intermediate_size": 11008, "num_hidden_layers": 32, "num_attention_heads": 32}\
            """;

    @Test
    void defaultsAreThoseOfTheFamily() {
        DecoderConfig llama = DecoderConfig.of(json(LLAMA));
        assertThat(llama.kvHeads()).isEqualTo(32);
        assertThat(llama.headDim()).isEqualTo(128);
        assertThat(llama.epsilon()).isEqualTo(1e-6);
        assertThat(llama.rope()).isEqualTo(new Rope(10_000, new Rope.Unscaled()));
        assertThat(llama.maxPositions()).isEqualTo(2048);
        assertThat(llama.tied()).isFalse();
        assertThat(llama.windows()).containsOnly(DecoderConfig.NO_WINDOW).hasSize(32);
        assertThat(llama.biases()).containsOnlyKeys("attention_bias", "mlp_bias");
        assertThat(llama.bos()).isNull();
        assertThat(llama.eos()).isEmpty();

        DecoderConfig mistral = DecoderConfig.of(json(LLAMA.replace("llama", "mistral")));
        assertThat(mistral.kvHeads()).isEqualTo(8);
        assertThat(mistral.windows()).containsOnly(4096L);

        DecoderConfig qwen3 = DecoderConfig.of(json(LLAMA.replace("llama", "qwen3")));
        assertThat(qwen3.headDim()).isEqualTo(128);

        DecoderConfig gpt2 =
                DecoderConfig.of(
                        json(
                                """
                                {"model_type": "gpt2", "vocab_size": 50257, "n_embd": 768, "n_layer": 12,
                                 "n_head": 12, "eos_token_id": 50256}\
                                """));
        assertThat(gpt2.intermediate()).isEqualTo(3072);
        assertThat(gpt2.maxPositions()).isEqualTo(1024);
        assertThat(gpt2.activation()).isEqualTo(Activation.GELU_TANH);
        assertThat(gpt2.tied()).isTrue();
        assertThat(gpt2.rope()).isNull();
        assertThat(gpt2.eos()).containsExactly(50256L);
    }

    @Test
    void bothDialectsOfRopeSayTheSame() {
        String scaling =
                """
                {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
                 "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}\
                """;
        Rope expected = new Rope(500_000, new Rope.Llama3(8, 1, 4, 8192));
        ObjectNode old = json(LLAMA).put("rope_theta", 500_000.0);
        old.set("rope_scaling", json(scaling));
        ObjectNode older = old.deepCopy();
        ((ObjectNode) older.get("rope_scaling")).remove("rope_type");
        ((ObjectNode) older.get("rope_scaling")).put("type", "llama3");
        ObjectNode flat = json(LLAMA);
        flat.set("rope_parameters", json(scaling).put("rope_theta", 500_000));
        ObjectNode nested = json(LLAMA);
        nested.putObject("rope_parameters").set("full_attention", flat.get("rope_parameters"));
        for (ObjectNode config : new ObjectNode[] {old, older, flat, nested}) {
            assertThat(DecoderConfig.of(config).rope()).isEqualTo(expected);
        }
    }

    @Test
    void llama3ScalingLeavesShortWavesAndStretchesLongOnes() {
        Rope.Llama3 scaling = new Rope.Llama3(8, 1, 4, 8192);
        double fast = 2 * Math.PI / 100;
        double slow = 2 * Math.PI / 10_000;
        assertThat(scaling.scale(fast)).isEqualTo(fast);
        assertThat(scaling.scale(slow)).isEqualTo(slow / 8);
        // Half way between: 8192 / wavelength = 2.5 blends both by halves.
        double middle = 2 * Math.PI * 2.5 / 8192;
        assertThat(scaling.scale(middle)).isCloseTo(middle * (0.5 + 0.5 / 8), within(1e-18));
    }

    /** As in transformers: half of Qwen2-MoE's blocks below the limit, Qwen2's blocks from it on, all of Qwen3-MoE's. */
    @Test
    void windowsOfTheQwensAreThoseOfTransformers() {
        ObjectNode config =
                json(LLAMA)
                        .put("use_sliding_window", true)
                        .put("sliding_window", 64)
                        .put("max_window_layers", 3)
                        .put("num_hidden_layers", 5);
        long all = DecoderConfig.NO_WINDOW;
        config.put("model_type", "qwen2_moe");
        assertThat(DecoderConfig.of(config).windows()).containsExactly(64L, all, 64L, all, all);
        config.put("model_type", "qwen2");
        assertThat(DecoderConfig.of(config).windows()).containsExactly(all, all, all, 64L, 64L);
        config.put("model_type", "qwen3_moe");
        assertThat(DecoderConfig.of(config).windows()).containsOnly(64L);
        config.put("model_type", "qwen2_moe").put("use_sliding_window", false);
        assertThat(DecoderConfig.of(config).windows()).containsOnly(all);
    }

    /** Phi-3 turns to the long factors at 4096 tokens where its config does not say when (transformers, Phi3Config). */
    @Test
    void longRopeOfPhi3SwitchesAfterItsTrainedLength() {
        ObjectNode config =
                json(LLAMA)
                        .put("model_type", "phi3")
                        .put("hidden_size", 128)
                        .put("max_position_embeddings", 131072);
        ObjectNode scaling = config.putObject("rope_scaling").put("type", "longrope");
        scaling.putArray("short_factor").add(1.0).add(1.5);
        scaling.putArray("long_factor").add(2.0).add(4.0);
        Rope.Scaling usual = scaling(config);
        assertThat(usual.longest()).isEqualTo(4096);
        assertThat(usual.magnitude())
                .isCloseTo(Math.sqrt(1 + Math.log(32) / Math.log(4096)), within(1e-15));
        scaling.put("factor", 2.0);
        config.put("original_max_position_embeddings", 1024);
        Rope.Scaling given = scaling(config);
        assertThat(given.longest()).isEqualTo(1024);
        assertThat(given.magnitude())
                .isCloseTo(Math.sqrt(1 + Math.log(2) / Math.log(1024)), within(1e-15));
    }

    @Test
    void unknownModelTypeListsTheKnownOnes() {
        assertFault(
                config -> config.put("model_type", "rwkv"),
                "'rwkv' is not supported",
                "known are bloom, deepseek_v2, deepseek_v3, gemma2, gemma3_text, gpt2, gpt_neox,");
        assertFault(config -> config.remove("model_type"), "config.json has no model_type");
        assertThat(Families.known()).contains("llama");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    vocab_size              | 0       | vocab_size must be a whole number from 1
                    hidden_size             | -4096   | hidden_size must be a whole number from 1
                    hidden_size             | 4096.5  | hidden_size must be a whole number from 1
                    hidden_size             | "4096"  | hidden_size must be a whole number from 1
                    intermediate_size       | 1e30    | intermediate_size must be a whole number from 1
                    num_hidden_layers       | 2000000 | num_hidden_layers is 2000000, more than 10000
                    num_attention_heads     | 33      | hidden_size 4096 is not a multiple of 33 heads
                    num_key_value_heads     | 5       | num_attention_heads 32 is not a multiple of 5 key-value heads
                    head_dim                | 127     | an even head width but it is 127
                    rms_norm_eps            | 0       | rms_norm_eps must be a number above 0 but is 0
                    rms_norm_eps            | "NaN"   | rms_norm_eps must be a number above 0 but is "NaN"
                    hidden_act              | "gelo"  | hidden_act 'gelo' is not supported; known are gelu,
                    rope_theta              | -1      | rope_theta must be a number above 0 but is -1
                    tie_word_embeddings     | 1       | tie_word_embeddings must be true or false but is 1
                    attention_bias          | "yes"   | attention_bias must be true or false
                    eos_token_id            | "</s>"  | eos_token_id must be a token id or a list of them
                    rope_scaling            | 8       | rope_scaling must be a map but is 8
                    rope_scaling            | {"type": "dynamic", "factor": 2} | rope type 'dynamic' is not supported; known are default, linear, llama3, yarn, longrope
                    rope_scaling            | {"rope_type": "linear"}          | rope_scaling.factor is missing
                    rope_parameters         | {"partial_rotary_factor": 0.5}   | partial_rotary_factor must be 1 but is 0.5
                    rope_parameters         | {"full_attention": {"rope_theta": 1}, "sliding_attention": {"rope_theta": 2}} | differ between layer types
                    quantization_config     | {"quant_method": "gptq"}         | quantized weights cannot be opened
                    per_layer_config        | {"3": {"intermediate_size": 8}}  | blocks of different shapes
                    """)
    void wrongSettingsAreNamed(String key, String value, String message) {
        assertFault(config -> config.set(key, JsonMapper.shared().readTree(value)), message);
    }

    @Test
    void allFaultsAreToldAtOnce() {
        assertFault(
                config ->
                        config.put("vocab_size", -1).put("rms_norm_eps", -1).remove("hidden_size"),
                "vocab_size",
                "hidden_size is missing",
                "rms_norm_eps");
    }

    @Test
    void attentionVariantsThatAreNotComputedAreRefused() {
        ObjectNode config =
                json(
                        """
                        {"model_type": "gpt2", "vocab_size": 10, "n_embd": 8, "n_layer": 1, "n_head": 2,
                         "scale_attn_by_inverse_layer_idx": true}\
                        """);
        assertThatThrownBy(() -> DecoderConfig.of(config))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("scale_attn_by_inverse_layer_idx must be false but is true");
    }

    @Test
    void layerTypesMustFitTheBlocks() {
        ObjectNode config = json(LLAMA.replace("llama", "qwen2")).put("use_sliding_window", true);
        config.putArray("layer_types").add("full_attention");
        assertThatThrownBy(() -> DecoderConfig.of(config))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("layer_types must be a list of 32 entries");
    }

    @Test
    void checkpointThatDoesNotFitItsConfigIsNamedTensorByTensor() {
        try (TinyModel model = TinyLlamas.LLAMA_GROUPED_TIED.make(1)) {
            model.remove("model.layers.2.mlp.up_proj.weight");
            model.set("model.norm.weight", new float[7], 7);
            model.set("model.layers.0.self_attn.o_proj.bias", new float[24], 24);
            assertThatThrownBy(() -> Decoder.open(model.config, model))
                    .isInstanceOf(UserError.class)
                    .hasMessageContaining("model.layers.2.mlp.up_proj.weight is missing")
                    .hasMessageContaining(
                            "model.norm.weight has shape [7] but config.json makes it [24]")
                    .hasMessageContaining("model.layers.0.self_attn.o_proj.bias is there although")
                    .hasMessageNotContaining("\n");
            model.config.put("hidden_size", 48);
            assertThatThrownBy(() -> Decoder.open(model.config, model))
                    .hasMessageMatching(".*; and \\d+ more");
        }
    }

    private static Rope.Scaling scaling(ObjectNode config) {
        return Objects.requireNonNull(DecoderConfig.of(config).rope()).scaling();
    }

    private static void assertFault(Consumer<ObjectNode> change, String... messages) {
        ObjectNode config = json(LLAMA);
        change.accept(config);
        assertThatThrownBy(() -> DecoderConfig.of(config))
                .isInstanceOf(UserError.class)
                .hasMessageContainingAll(messages)
                .hasMessageNotContaining("\n");
    }

    private static ObjectNode json(String text) {
        JsonNode node = JsonMapper.shared().readTree(text);
        return (ObjectNode) node;
    }
}
