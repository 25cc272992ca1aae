package org.espalier.checkpoint.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.bytedeco.javacpp.PointerScope;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.CheckpointWriter;
import org.espalier.checkpoint.DType;
import org.espalier.core.UserError;
import org.espalier.core.tensor.Tensors;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** GGUF files as Hugging Face would have the model. */
class GgufModelTest {
    @TempDir Path folder;

    private static GgufBuilder llama(String architecture) {
        return new GgufBuilder()
                .text("general.architecture", architecture)
                .u32(architecture + ".embedding_length", 4)
                .u32(architecture + ".block_count", 1)
                .u32(architecture + ".context_length", 16)
                .u32(architecture + ".feed_forward_length", 6)
                .u32(architecture + ".attention.head_count", 2)
                .u32(architecture + ".attention.head_count_kv", 1)
                .u32(architecture + ".attention.key_length", 4)
                .f32(architecture + ".attention.layer_norm_rms_epsilon", 1e-5f)
                .floats("token_embd.weight", GgufBuilder.counting(12), 4, 3);
    }

    @Test
    void theRealModelIsItsHuggingFaceFolder() {
        String data = System.getenv("ESPALIER_DATA");
        Path model =
                (data == null
                                ? Path.of(System.getProperty("espalier.root", ".."))
                                        .resolve("../shared/data")
                                : Path.of(data))
                        .resolve("lm-stories260k");
        Assumptions.assumeTrue(Files.exists(model), "skipped: no real data at " + model);
        try (Checkpoint gguf = GgufModel.open(model.resolve("stories260k-f32.gguf"));
                Checkpoint hub = Checkpoint.open(model);
                PointerScope scope = new PointerScope()) {
            assertThat(gguf.tensors().keySet())
                    .containsExactlyInAnyOrderElementsOf(hub.tensors().keySet());
            for (String name : hub.tensors().keySet()) {
                assertThat(gguf.shape(name)).as(name).isEqualTo(hub.shape(name));
                assertThat(gguf.dtype(name)).as(name).isEqualTo(hub.dtype(name));
                assertThat(
                                Tensors.segment(gguf.tensor(name))
                                        .mismatch(Tensors.segment(hub.tensor(name))))
                        .as(name)
                        .isEqualTo(-1);
            }
            for (var entry : gguf.config().properties()) {
                JsonNode ours = entry.getValue();
                JsonNode theirs = hub.config().path(entry.getKey());
                // 1.0E-5 and 0.00001 are the same number.
                boolean same =
                        ours.isNumber()
                                ? ours.doubleValue() == theirs.doubleValue()
                                : ours.equals(theirs);
                assertThat(same).as("%s is %s, not %s", entry.getKey(), ours, theirs).isTrue();
            }
            assertThat(gguf.files().keySet()).containsExactly("stories260k-f32.gguf");
        }
    }

    @Test
    void llamaRowsGoFromNeighboursToHalves() {
        // Two heads of four rows of one number each, and a bias.
        GgufBuilder builder =
                llama("llama")
                        .floats("blk.0.attn_q.weight", GgufBuilder.counting(8), 1, 8)
                        .floats("blk.0.attn_q.bias", GgufBuilder.counting(8), 8)
                        .floats("blk.0.attn_k.weight", GgufBuilder.counting(4), 1, 4)
                        .floats("blk.0.attn_v.weight", GgufBuilder.counting(4), 1, 4);
        try (Checkpoint model = GgufModel.open(builder.write(folder, "x.gguf"));
                PointerScope scope = new PointerScope()) {
            float[] halves = {0.25f, 2.25f, 1.25f, 3.25f, 4.25f, 6.25f, 5.25f, 7.25f};
            String attention = "model.layers.0.self_attn.";
            assertThat(Tensors.toFloats(model.tensor(attention + "q_proj.weight")))
                    .containsExactly(halves);
            assertThat(Tensors.toFloats(model.tensor(attention + "q_proj.bias")))
                    .containsExactly(halves);
            assertThat(Tensors.toFloats(model.tensor(attention + "k_proj.weight")))
                    .containsExactly(0.25f, 2.25f, 1.25f, 3.25f);
            assertThat(Tensors.toFloats(model.tensor(attention + "v_proj.weight")))
                    .containsExactly(GgufBuilder.counting(4));
            assertThat(model.config().get("tie_word_embeddings").asBoolean()).isTrue();
            assertThat(model.config().get("attention_bias").asBoolean()).isTrue();
            assertThat(model.config().get("rms_norm_eps").asDouble()).isEqualTo(1e-5);
        }
    }

    @Test
    void qwenRowsStayAndAnOutputMatrixUnties() {
        for (String architecture : new String[] {"qwen2", "qwen3"}) {
            GgufBuilder builder =
                    llama(architecture)
                            .floats("output.weight", GgufBuilder.counting(12), 4, 3)
                            .floats("blk.0.attn_q.weight", GgufBuilder.counting(8), 1, 8);
            try (Checkpoint model = GgufModel.open(builder.write(folder, "x.gguf"));
                    PointerScope scope = new PointerScope()) {
                assertThat(Tensors.toFloats(model.tensor("model.layers.0.self_attn.q_proj.weight")))
                        .containsExactly(GgufBuilder.counting(8));
                assertThat(model.config().get("tie_word_embeddings").asBoolean()).isFalse();
                assertThat(model.contains("lm_head.weight")).isTrue();
                assertThat(model.config().get("model_type").asString()).isEqualTo(architecture);
            }
        }
    }

    @Test
    void aWindowMakesMistralAndDivisorsOfTheRopeStay() {
        GgufBuilder builder =
                llama("llama")
                        .u32("llama.attention.sliding_window", 7)
                        .text("llama.rope.scaling.type", "linear")
                        .f32("llama.rope.scaling.factor", 4f)
                        .floats("rope_freqs.weight", new float[] {1, 2.5f}, 2);
        try (Checkpoint model = GgufModel.open(builder.write(folder, "x.gguf"))) {
            assertThat(model.config().get("model_type").asString()).isEqualTo("mistral");
            assertThat(model.config().get("sliding_window").asInt()).isEqualTo(7);
            assertThat(model.contains("rope_freqs.weight")).isFalse();
            JsonNode scaling = model.config().get("rope_scaling");
            assertThat(scaling.get("short_factor").toString()).isEqualTo("[4.0,10.0]");
            assertThat(scaling.get("long_factor")).isEqualTo(scaling.get("short_factor"));
        }
    }

    private static GgufBuilder gpt2(float[] output) {
        return new GgufBuilder()
                .text("general.architecture", "gpt2")
                .u32("gpt2.embedding_length", 2)
                .u32("gpt2.block_count", 1)
                .u32("gpt2.context_length", 16)
                .u32("gpt2.feed_forward_length", 8)
                .u32("gpt2.attention.head_count", 1)
                .f32("gpt2.attention.layer_norm_epsilon", 1e-5f)
                .floats("token_embd.weight", GgufBuilder.counting(6), 2, 3)
                .floats("output.weight", output, 2, 3)
                .floats("blk.0.attn_norm.weight", GgufBuilder.counting(2), 2)
                .floats("blk.0.ffn_up.weight", GgufBuilder.counting(6), 2, 3);
    }

    @Test
    void gpt2IsTransposedAndItsCopiedOutputIsTied() {
        try (Checkpoint model =
                        GgufModel.open(gpt2(GgufBuilder.counting(6)).write(folder, "x.gguf"));
                PointerScope scope = new PointerScope()) {
            String up = "transformer.h.0.mlp.c_fc.weight";
            assertThat(model.shape(up)).containsExactly(2, 3);
            assertThat(Tensors.toFloats(model.tensor(up)))
                    .containsExactly(0.25f, 2.25f, 4.25f, 1.25f, 3.25f, 5.25f);
            assertThat(model.config().get("n_inner").asInt()).isEqualTo(3);
            assertThat(model.config().get("tie_word_embeddings").asBoolean()).isTrue();
            assertThat(model.contains("lm_head.weight")).isFalse();
        }
        try (Checkpoint model = GgufModel.open(gpt2(new float[6]).write(folder, "x.gguf"))) {
            assertThat(model.config().get("tie_word_embeddings").asBoolean()).isFalse();
            assertThat(model.contains("lm_head.weight")).isTrue();
        }
    }

    private void refused(Consumer<GgufBuilder> change, String message) {
        GgufBuilder builder = llama("llama");
        change.accept(builder);
        Path path = builder.write(folder, "x.gguf");
        assertThatThrownBy(() -> GgufModel.open(path).close())
                .isInstanceOf(UserError.class)
                .hasMessageContaining(message)
                .hasMessageContaining("x.gguf");
    }

    /** Extents fastest first: too many experts, none, and what is no stack. */
    @Test
    void stacksOfNoExpertsAreRefused() {
        for (long[] shape : new long[][] {{1, 1, 1025}, {0, 3, 1L << 40}, {4, 2}, {4}}) {
            int elements = (int) Arrays.stream(shape).reduce(1, (a, b) -> a * b);
            refused(
                    file ->
                            file.u32("llama.expert_count", 2)
                                    .u32("llama.expert_used_count", 1)
                                    .floats("blk.0.ffn_up_exps.weight", new float[elements], shape),
                    "no stack of 1 to 1024 matrices");
        }
    }

    @Test
    void whatCannotBeMappedIsRefused() {
        refused(file -> file.u32("llama.expert_count", 8), "'llama.expert_used_count'");
        refused(file -> file.u32("llama.attention.value_length", 2), "value_length = 2");
        refused(file -> file.u32("llama.rope.dimension_count", 2), "dimension_count = 2");
        refused(file -> file.floats("rope_freqs.weight", new float[2], 2), "divisor 0.0");
        refused(
                file -> file.floats("rope_freqs.weight", new float[] {1, Float.NaN}, 2),
                "divisor NaN");
        refused(
                file -> file.floats("rope_freqs.weight", new float[] {1, 2, 3}, 3),
                "'rope_freqs.weight' has the shape [3] where heads have 2 frequencies");
        refused(
                file ->
                        file.text("llama.rope.scaling.type", "yarn")
                                .floats("rope_freqs.weight", new float[] {1, 2}, 2),
                "rope.scaling.type = yarn");
        refused(
                file ->
                        file.u32("llama.attention.sliding_window", 5)
                                .floats("blk.0.attn_q.bias", new float[8], 8),
                "sliding_window = 5");
        refused(
                file -> file.floats("blk.0.ffn_gate_inp.weight", new float[2], 2),
                "'blk.0.ffn_gate_inp.weight'");
        Path other =
                new GgufBuilder()
                        .text("general.architecture", "mamba")
                        .floats("token_embd.weight", new float[4], 2, 2)
                        .write(folder, "x.gguf");
        assertThatThrownBy(() -> GgufModel.open(other))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("'mamba'")
                .hasMessageContaining(
                        "llama, qwen2, qwen2moe, qwen3, qwen3moe, olmoe, phi3, gemma2, gemma3, gpt2");
        Path unequal =
                new GgufBuilder()
                        .text("general.architecture", "llama")
                        .floats("token_embd.weight", new float[4], 2, 2)
                        .u32("llama.embedding_length", 4)
                        .i32s("llama.attention.head_count", 2, 1)
                        .write(folder, "x.gguf");
        assertThatThrownBy(() -> GgufModel.open(unequal))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("differs between blocks");
    }

    private static void refused(GgufBuilder builder, Path folder, String... parts) {
        Path path = builder.write(folder, "x.gguf");
        assertThatThrownBy(() -> GgufModel.open(path).close())
                .isInstanceOf(UserError.class)
                .hasMessageContainingAll(parts)
                .message()
                .doesNotContain("\n");
    }

    @Test
    void whatIsNoModelIsSaidToBeWhatItIs() {
        refused(
                new GgufBuilder().text("general.type", "imatrix"),
                folder,
                "is an importance matrix",
                "--imatrix");
        refused(
                new GgufBuilder()
                        .text("general.type", "adapter")
                        .text("general.architecture", "llama")
                        .text("adapter.type", "lora"),
                folder,
                "an adapter (lora)",
                "llama-export-lora");
        refused(
                new GgufBuilder().text("general.architecture", "clip").floats("v", new float[2], 2),
                folder,
                "projector",
                "file of the language model");
        refused(
                new GgufBuilder()
                        .text("general.architecture", "llama")
                        .texts("tokenizer.ggml.tokens", List.of("a")),
                folder,
                "a vocabulary without weights");
        refused(new GgufBuilder(), folder, "a GGUF file without tensors");
        refused(
                llama("llama").tensor("blk.0.ffn_up.weight", GgufType.IQ2_XS, new byte[74], 256),
                folder,
                "'blk.0.ffn_up.weight'",
                "IQ2_XS, which can be listed but not computed",
                "get the model as Q8_0");
    }

    /** Those that the file names, and those that llama.cpp knows by what they are called. */
    @Test
    void aTextEndsAtSeveralTokens() {
        GgufBuilder builder =
                llama("llama")
                        .texts("tokenizer.ggml.tokens", List.of("a", "</s>", "<|eot_id|>", "x"))
                        .u32("tokenizer.ggml.eos_token_id", 1)
                        .u32("tokenizer.ggml.eom_token_id", 3);
        try (Checkpoint model = GgufModel.open(builder.write(folder, "x.gguf"))) {
            assertThat(model.config().get("eos_token_id").toString()).isEqualTo("[1,3,2]");
        }
        GgufBuilder one = llama("llama").u32("tokenizer.ggml.eos_token_id", 1);
        try (Checkpoint model = GgufModel.open(one.write(folder, "x.gguf"))) {
            assertThat(model.config().get("eos_token_id").toString()).isEqualTo("1");
        }
    }

    @Test
    void whatAFolderWillNotHaveIsListed() {
        GgufBuilder builder =
                llama("llama")
                        .text("general.license", "mit")
                        .u32("general.file_type", 0)
                        .u32("llama.vocab_size", 3)
                        .u32("llama.attention.some_new_switch", 1)
                        .texts("tokenizer.ggml.tokens", List.of("a", "b", "c"))
                        .text("tokenizer.ggml.model", "bert")
                        .u32("tokenizer.ggml.seperator_token_id", 1);
        try (GgufModel model = GgufModel.source(builder.write(folder, "x.gguf"))) {
            assertThat(model.sideFiles()).isEmpty();
            assertThat(model.leftOut())
                    .containsExactly(
                            "tokenizer (kind bert, pre-tokenizer null), which cannot be translated",
                            "metadata general.license",
                            "metadata llama.attention.some_new_switch");
        }
    }

    /** As in llama.cpp: a factor alone is position interpolation, a type alone is nothing. */
    @Test
    void aRopeFactorNeedsNoType() {
        assertThat(scaling(llama("llama").f32("llama.rope.scaling.factor", 4f)))
                .isEqualTo("{\"rope_type\":\"linear\",\"factor\":4.0}");
        assertThat(scaling(llama("llama").f32("llama.rope.scale_linear", 2f)))
                .isEqualTo("{\"rope_type\":\"linear\",\"factor\":2.0}");
        assertThat(scaling(llama("llama").text("llama.rope.scaling.type", "linear"))).isEmpty();
        assertThat(scaling(llama("llama").f32("llama.rope.scaling.factor", 0f))).isEmpty();
        assertThat(
                        scaling(
                                llama("llama")
                                        .text("llama.rope.scaling.type", "none")
                                        .f32("llama.rope.scaling.factor", 4f)))
                .isEmpty();
    }

    private String scaling(GgufBuilder builder) {
        try (Checkpoint model = GgufModel.open(builder.write(folder, "x.gguf"))) {
            JsonNode scaling = model.config().path("rope_scaling");
            return scaling.isMissingNode() ? "" : scaling.toString();
        }
    }

    @Test
    void theWidthOfTheMlpIsTakenFromItsMatrixWhereTheKeyIsMissing() {
        GgufBuilder builder =
                new GgufBuilder()
                        .text("general.architecture", "llama")
                        .u32("llama.embedding_length", 4)
                        .u32("llama.block_count", 1)
                        .u32("llama.context_length", 16)
                        .u32("llama.attention.head_count", 2)
                        .f32("llama.attention.layer_norm_rms_epsilon", 1e-5f)
                        .floats("output_norm.weight", new float[4], 4)
                        .floats("blk.0.ffn_up.weight", new float[24], 4, 6)
                        .floats("token_embd.weight", GgufBuilder.counting(12), 4, 3);
        try (Checkpoint model = GgufModel.open(builder.write(folder, "x.gguf"))) {
            assertThat(model.config().get("intermediate_size").asInt()).isEqualTo(6);
            assertThat(model.config().get("num_key_value_heads").asInt()).isEqualTo(2);
        }
    }

    @Test
    void aFolderCanBeWrittenFromIt() {
        Path path =
                llama("llama")
                        .floats("blk.0.attn_q.weight", GgufBuilder.counting(8), 1, 8)
                        .write(folder, "x.gguf");
        Path out = folder.resolve("out");
        try (Checkpoint model = GgufModel.open(path)) {
            try (CheckpointWriter writer = CheckpointWriter.create(model, out, DType.BF16)) {
                writer.commit();
            }
            try (Checkpoint written = Checkpoint.open(out);
                    PointerScope scope = new PointerScope()) {
                assertThat(written.tensors().keySet())
                        .containsExactlyInAnyOrderElementsOf(model.tensors().keySet());
                assertThat(written.config().get("torch_dtype").asString()).isEqualTo("bfloat16");
                String name = "model.layers.0.self_attn.q_proj.weight";
                assertThat(written.dtype(name)).isEqualTo(DType.BF16);
                assertThat(Tensors.toFloats(written.tensor(name)))
                        .containsExactly(Tensors.toFloats(model.tensor(name)));
                assertThat(model.bytesByType()).containsOnlyKeys("F32");
            }
        }
    }
}
