package org.espalier.prune;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.bytedeco.javacpp.PointerScope;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.CheckpointWriter;
import org.espalier.core.Rounding;
import org.espalier.core.progress.Progress;
import org.espalier.core.tensor.Tensors;
import org.espalier.network.Decoder;
import org.espalier.network.Linear;
import org.espalier.prune.calibrate.Calibration;
import org.espalier.prune.resume.CheckpointSink;
import org.espalier.prune.resume.PruneJournal;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.json.JsonMapper;

/** DeepSeek from folder to folder: latent attention, shared experts and both routers. */
class PrunerDeepseekTest {
    private static final long SEED = 20261125;
    private static final String SECOND =
            """
            {"model_type": "deepseek_v2", "vocab_size": 17, "hidden_size": 12, "intermediate_size": 10,
             "moe_intermediate_size": 6, "num_hidden_layers": 2, "num_attention_heads": 2, "q_lora_rank": null,
             "kv_lora_rank": 6, "qk_nope_head_dim": 4, "qk_rope_head_dim": 4, "v_head_dim": 3,
             "n_routed_experts": 4, "n_shared_experts": 2, "num_experts_per_tok": 2, "first_k_dense_replace": 1}
            """;
    private static final String THIRD =
            """
            {"model_type": "deepseek_v3", "vocab_size": 17, "hidden_size": 12, "intermediate_size": 10,
             "moe_intermediate_size": 6, "num_hidden_layers": 2, "num_attention_heads": 2, "q_lora_rank": 8,
             "kv_lora_rank": 6, "qk_nope_head_dim": 4, "qk_rope_head_dim": 4, "v_head_dim": 3,
             "n_routed_experts": 4, "n_shared_experts": 1, "num_experts_per_tok": 2, "n_group": 2, "topk_group": 1,
             "first_k_dense_replace": 1}
            """;

    @TempDir Path folder;

    @ParameterizedTest
    @CsvSource({"2, wanda", "2, sparsegpt", "3, wanda", "3, sparsegpt"})
    void theWrittenFolderIsTheMaskedModel(int version, String recipe) {
        try (TinyCheckpoint model = new TinyCheckpoint(version == 2 ? SECOND : THIRD, SEED)) {
            describe(model, version == 3);
            prune(model, version, recipe);
        }
    }

    private void prune(TinyCheckpoint model, int version, String recipe) {
        Random random = new Random(SEED);
        List<long[]> ids = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            ids.add(random.longs(24, 0, 17).toArray());
        }
        Path source = model.write(folder.resolve("dense"));
        Path out = folder.resolve("pruned");
        Map<String, float[]> pruned = new HashMap<>();
        try (Checkpoint checkpoint = Checkpoint.open(source);
                Decoder decoder = Decoder.open(checkpoint);
                CheckpointWriter writer = CheckpointWriter.open(checkpoint, out, null);
                PruneJournal journal =
                        PruneJournal.open(
                                writer, JsonMapper.shared().createObjectNode(), false, () -> 0)) {
            Method method = Method.of(RecipeBook.shipped().recipe(recipe));
            PrunePlan plan = PrunePlan.of(method, decoder);
            CheckpointSink sink = new CheckpointSink(writer, journal, plan, decoder);
            PruneOutcome outcome =
                    new Pruner(plan, decoder, new Calibration(ids), sink::storage, Progress.SILENT)
                            .run((linear, weight, bias) -> {
                                pruned.put(linear.weightName(), Tensors.toFloats(weight));
                                sink.write(linear, weight, bias);
                            });
            writer.seal();
            writer.commit();
            int attention = version == 2 ? 4 : 5;
            assertThat(outcome.layers()).hasSize(2 * attention + 3 + 4 * 3 + 3);
            for (LayerOutcome layer : outcome.layers()) {
                Linear linear = layer.linear();
                long half =
                        recipe.equals("wanda")
                                ? linear.rows() * Rounding.removed(linear.columns(), 0.5)
                                : Rounding.removed(linear.size(), 0.5);
                assertThat(layer.removed()).as(linear.name()).isEqualTo(half);
                assertThat(zeros(Objects.requireNonNull(pruned.get(linear.weightName()))))
                        .as(linear.name())
                        .isEqualTo(half);
                assertThat(layer.inputTokens()).as(linear.name()).isPositive();
            }
        }
        try (TinyCheckpoint masked = model.with(pruned)) {
            assertThat(logits(out, ids.getFirst())).isEqualTo(masked.logits(ids.getFirst()));
            assertThat(masked.logits(ids.getFirst())).isNotEqualTo(model.logits(ids.getFirst()));
        }
    }

    private static float[] logits(Path folder, long[] ids) {
        try (Checkpoint checkpoint = Checkpoint.open(folder);
                Decoder decoder = Decoder.open(checkpoint);
                PointerScope scope = new PointerScope()) {
            return Tensors.toFloats(decoder.forward(Tensors.longs(ids, 1, ids.length)));
        }
    }

    private static long zeros(float[] values) {
        long zeros = 0;
        for (float value : values) {
            zeros += value == 0 ? 1 : 0;
        }
        return zeros;
    }

    private static void describe(TinyCheckpoint model, boolean third) {
        model.matrix("model.embed_tokens.weight", 17, 12);
        model.matrix("lm_head.weight", 17, 12);
        model.norm("model.norm.weight", 12);
        for (int block = 0; block < 2; block++) {
            String name = "model.layers." + block + ".";
            model.norm(name + "input_layernorm.weight", 12);
            model.norm(name + "post_attention_layernorm.weight", 12);
            String attention = name + "self_attn.";
            if (third) {
                model.matrix(attention + "q_a_proj.weight", 8, 12);
                model.norm(attention + "q_a_layernorm.weight", 8);
                model.matrix(attention + "q_b_proj.weight", 16, 8);
            } else {
                model.matrix(attention + "q_proj.weight", 16, 12);
            }
            model.matrix(attention + "kv_a_proj_with_mqa.weight", 10, 12);
            model.norm(attention + "kv_a_layernorm.weight", 6);
            model.matrix(attention + "kv_b_proj.weight", 14, 6);
            model.matrix(attention + "o_proj.weight", 12, 6);
            if (block == 0) {
                gated(model, name + "mlp.", 10);
                continue;
            }
            model.matrix(name + "mlp.gate.weight", 4, 12);
            if (third) {
                model.matrix(name + "mlp.gate.e_score_correction_bias", 4);
            }
            for (int expert = 0; expert < 4; expert++) {
                gated(model, name + "mlp.experts." + expert + ".", 6);
            }
            gated(model, name + "mlp.shared_experts.", third ? 6 : 12);
        }
    }

    private static void gated(TinyCheckpoint model, String module, int width) {
        model.matrix(module + "gate_proj.weight", width, 12);
        model.matrix(module + "up_proj.weight", width, 12);
        model.matrix(module + "down_proj.weight", 12, width);
    }
}
