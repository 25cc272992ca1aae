package org.espalier.prune;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.progress.Progress;
import org.espalier.core.recipe.Recipe;
import org.espalier.core.tensor.Tensors;
import org.espalier.network.Block;
import org.espalier.network.Decoder;
import org.espalier.network.Linear;
import org.espalier.prune.calibrate.Calibration;
import org.espalier.prune.calibrate.SavedStates;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class PrunerResumeTest {
    private static final long SEED = 31;

    static Iterable<String> recipes() {
        return RecipeBook.shipped().names();
    }

    @ParameterizedTest
    @MethodSource("recipes")
    void goingOnAfterAnyBlockGivesTheSameToTheBit(String name) {
        Recipe recipe = RecipeBook.shipped().recipe(name);
        try (TinyLlama model = new TinyLlama(SEED);
                Decoder decoder = model.open()) {
            Recorder whole = new Recorder();
            PruneOutcome outcome = run(recipe, decoder, whole, EarlierWork.NONE);
            for (int finished = 0; finished <= TinyLlama.BLOCKS; finished++) {
                int count = finished;
                EarlierWork earlier =
                        new EarlierWork(
                                whole.sparsities,
                                3,
                                outcome.layers().stream()
                                        .filter(layer -> layer.linear().block() < count)
                                        .toList(),
                                outcome.blocks().subList(0, count),
                                Map.of(),
                                whole::restore);
                Recorder rest = new Recorder();
                PruneOutcome resumed = run(recipe, decoder, rest, earlier);
                assertThat(rest.sparsities).as("allocated again").isEmpty();
                assertThat(rest.finished).isEqualTo(TinyLlama.BLOCKS - count);
                assertThat(rest.weights).hasSize((TinyLlama.BLOCKS - count) * 7);
                rest.weights.forEach((layer, weight) ->
                        assertThat(weight).as(layer).isEqualTo(whole.weights.get(layer)));
                rest.biases.forEach((layer, bias) ->
                        assertThat(bias).as(layer).isEqualTo(whole.biases.get(layer)));
                assertThat(resumed.layers().stream().map(PrunerResumeTest::timeless))
                        .isEqualTo(
                                outcome.layers().stream().map(PrunerResumeTest::timeless).toList());
                assertThat(resumed.blocks().stream().map(BlockOutcome::outputError))
                        .isEqualTo(
                                outcome.blocks().stream().map(BlockOutcome::outputError).toList());
                assertThat(resumed.allocateSeconds()).isEqualTo(3);
            }
        }
    }

    private static LayerOutcome timeless(LayerOutcome layer) {
        return new LayerOutcome(
                layer.linear(),
                layer.wanted(),
                layer.removed(),
                layer.zerosBefore(),
                layer.zeros(),
                layer.biasChanged(),
                layer.error(),
                layer.errorKind(),
                layer.inputTokens(),
                0);
    }

    /** Stores in bfloat16, so that a block that forgot to round would differ. */
    private static PruneOutcome run(
            Recipe recipe, Decoder decoder, LayerSink sink, EarlierWork earlier) {
        Random random = new Random(SEED);
        List<long[]> ids = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            ids.add(random.longs(i == 1 ? 11 : 16, 0, 17).toArray());
        }
        return new Pruner(
                        PrunePlan.of(Method.of(recipe), decoder),
                        decoder,
                        new Calibration(ids),
                        _ -> ScalarType.BFloat16,
                        Progress.SILENT)
                .run(sink, earlier);
    }

    /** Keeps what was pruned. */
    private static final class Recorder implements LayerSink {
        final Map<String, float[]> weights = new HashMap<>();
        final Map<String, float[]> biases = new HashMap<>();
        final List<Double> sparsities = new ArrayList<>();
        int finished;

        @Override
        public void write(Linear linear, Tensor weight, @Nullable Tensor bias) {
            weights.put(linear.name(), Tensors.toFloats(weight));
            if (bias != null) {
                biases.put(linear.name(), Tensors.toFloats(bias));
            }
        }

        @Override
        public void allocated(double[] given, double seconds) {
            for (double sparsity : given) {
                sparsities.add(sparsity);
            }
        }

        @Override
        public void finished(
                BlockOutcome block, List<LayerOutcome> layers, @Nullable SavedStates states) {
            finished++;
        }

        void restore(Block block) {
            try (PointerScope scope = new PointerScope()) {
                for (Linear linear : block.linears()) {
                    float[] weight = Objects.requireNonNull(weights.get(linear.name()));
                    float[] bias = biases.get(linear.name());
                    block.replace(
                            linear,
                            Tensors.floats(weight, linear.rows(), linear.columns()),
                            bias == null ? null : Tensors.floats(bias, linear.rows()));
                }
            }
        }
    }
}
