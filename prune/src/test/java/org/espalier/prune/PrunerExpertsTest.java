package org.espalier.prune;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.progress.Progress;
import org.espalier.core.tensor.Tensors;
import org.espalier.network.Decoder;
import org.espalier.network.WeightSource;
import org.espalier.prune.calibrate.Calibration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** A mixture of three experts, two of them per token, of which the last gets no token at all. */
class PrunerExpertsTest {
    private static final long SEED = 20261125;
    static final String CONFIG =
            """
            {"model_type": "mixtral", "vocab_size": 17, "hidden_size": 8, "intermediate_size": 12,
             "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1,
             "num_local_experts": 3, "num_experts_per_tok": 2}
            """;

    @ParameterizedTest
    @ValueSource(strings = {"wanda", "sparsegpt", "alps", "ria", "wanda-least-squares"})
    void everyExpertReachesItsSparsityEvenWithoutTokens(String recipe) {
        Random random = new Random(SEED);
        List<long[]> ids = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            ids.add(random.longs(12, 0, 17).toArray());
        }
        Map<String, float[]> unreached = new HashMap<>();
        ObjectNode config = (ObjectNode) JsonMapper.shared().readTree(CONFIG);
        Method method = Method.of(RecipeBook.shipped().recipe(recipe));
        try (TinyMixtral model = new TinyMixtral();
                Decoder decoder = Decoder.open(config, model)) {
            PruneOutcome outcome =
                    new Pruner(
                                    PrunePlan.of(method, decoder),
                                    decoder,
                                    new Calibration(ids),
                                    _ -> ScalarType.Float,
                                    Progress.SILENT)
                            .run((linear, weight, bias) -> {
                                if (linear.name().contains("experts.2.")) {
                                    unreached.put(linear.weightName(), Tensors.toFloats(weight));
                                }
                            });
            assertThat(outcome.layers()).hasSize(4 + 3 * 3);
            assertThat(unreached).hasSize(3);
            unreached.forEach(
                    (name, pruned) -> assertLargestAreUnchanged(model.values(name), pruned));
            long reached = 0;
            for (LayerOutcome layer : outcome.layers()) {
                String name = layer.linear().name();
                assertThat(layer.removed()).as(name).isEqualTo(layer.linear().size() / 2);
                if (name.contains("experts.2.")) {
                    assertThat(layer.inputTokens()).as(name).isZero();
                } else if (name.endsWith(".w2")) {
                    reached += layer.inputTokens();
                }
            }
            assertThat(reached).as("two experts for each of 48 tokens").isEqualTo(2 * 48);
        }
    }

    /** What stays is as it was and, taken together, far larger than what went. */
    private static void assertLargestAreUnchanged(float[] dense, float[] pruned) {
        double kept = 0;
        double removed = 0;
        for (int i = 0; i < dense.length; i++) {
            if (pruned[i] == 0) {
                removed += Math.abs(dense[i]);
            } else {
                assertThat(pruned[i]).isEqualTo(dense[i]);
                kept += Math.abs(dense[i]);
            }
        }
        assertThat(kept).isGreaterThan(2 * removed);
    }

    /** Positive hidden states, and a router whose last row is far below the others. */
    static final class TinyMixtral implements WeightSource, AutoCloseable {
        private final Map<String, Tensor> tensors = new HashMap<>();
        private final Random random = new Random(SEED);

        TinyMixtral() {
            put("model.embed_tokens", 5, 0.1, 17, 8);
            put("lm_head", 0, 0.3, 17, 8);
            put("model.norm", 1, 0.1, 8);
            String block = "model.layers.0.";
            put(block + "input_layernorm", 1, 0.1, 8);
            put(block + "post_attention_layernorm", 1, 0.1, 8);
            put(block + "self_attn.q_proj", 0, 0.3, 8, 8);
            put(block + "self_attn.k_proj", 0, 0.3, 4, 8);
            put(block + "self_attn.v_proj", 0, 0.3, 4, 8);
            put(block + "self_attn.o_proj", 0, 0.01, 8, 8);
            put(block + "block_sparse_moe.gate", 0, 0.3, 3, 8);
            try (PointerScope scope = new PointerScope()) {
                Tensor last = tensor(block + "block_sparse_moe.gate.weight").narrow(0, 2, 1);
                last.copy_(Tensors.floats(new float[] {-9, -9, -9, -9, -9, -9, -9, -9}, 1, 8));
            }
            for (int expert = 0; expert < 3; expert++) {
                String module = block + "block_sparse_moe.experts." + expert + ".";
                put(module + "w1", 0, 0.3, 12, 8);
                put(module + "w3", 0, 0.3, 12, 8);
                put(module + "w2", 0, 0.3, 8, 12);
            }
        }

        float[] values(String name) {
            return Tensors.toFloats(tensor(name));
        }

        private void put(String module, double mean, double deviation, long... shape) {
            int size = 1;
            for (long side : shape) {
                size *= (int) side;
            }
            float[] values = new float[size];
            for (int i = 0; i < size; i++) {
                values[i] = (float) (mean + deviation * random.nextGaussian());
            }
            try (PointerScope scope = new PointerScope()) {
                tensors.put(module + ".weight", Tensors.own(Tensors.floats(values, shape)));
            }
        }

        @Override
        public boolean contains(String name) {
            return tensors.containsKey(name);
        }

        @Override
        public long[] shape(String name) {
            return Tensors.shape(tensor(name));
        }

        @Override
        public Tensor tensor(String name) {
            Tensor tensor = tensors.get(name);
            if (tensor == null) {
                throw new IllegalArgumentException("no tensor " + name);
            }
            return tensor;
        }

        @Override
        public void close() {
            tensors.values().forEach(Tensor::close);
        }
    }
}
