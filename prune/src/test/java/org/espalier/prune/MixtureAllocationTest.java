package org.espalier.prune;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.progress.Progress;
import org.espalier.core.recipe.RecipeReader;
import org.espalier.core.tensor.Tensors;
import org.espalier.network.Block;
import org.espalier.network.Decoder;
import org.espalier.network.Linear;
import org.espalier.prune.calibrate.Calibration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * The budgets of a mixture of experts against the formulas of the cards {@code wanda}, {@code owl} and {@code dlp} in
 * float64: each of 16 sequences runs by itself, and a matrix remembers the mean over those that reached it.
 */
class MixtureAllocationTest {
    private static final long SEED = 20261129;
    private static final double SPARSITY = 0.7;
    private static final List<long[]> SEQUENCES = new ArrayList<>();

    /** Wanda's scores of every matrix, block after block. */
    private static final List<List<double[]>> SCORES = new ArrayList<>();

    @BeforeAll
    static void scoreByHand() {
        Random random = new Random(SEED);
        SEQUENCES.clear();
        SCORES.clear();
        for (int i = 0; i < 16; i++) {
            SEQUENCES.add(random.longs(64, 0, TinyMixture.VOCABULARY).toArray());
        }
        try (AutoGradMode noGrad = Tensors.noGrad();
                TinyCheckpoint model = TinyMixture.mixtral(SEED);
                Decoder decoder = model.open();
                PointerScope scope = new PointerScope()) {
            List<Tensor> states = new ArrayList<>();
            for (long[] ids : SEQUENCES) {
                states.add(decoder.embed(Tensors.longs(ids, 1, ids.length)));
            }
            for (int index = 0; index < decoder.blocks(); index++) {
                Map<String, double[]> scaler = new HashMap<>();
                Map<String, Integer> seen = new HashMap<>();
                try (Block block = decoder.block(index)) {
                    for (int i = 0; i < states.size(); i++) {
                        Tensor after =
                                block.forward(
                                        states.get(i),
                                        (readers, input, _) ->
                                                readers.forEach(linear ->
                                                        add(
                                                                linear,
                                                                Tensors.toFloats(input),
                                                                scaler,
                                                                seen)));
                        states.set(i, after);
                    }
                }
                List<double[]> block = new ArrayList<>();
                for (Linear linear : decoder.linears(index)) {
                    block.add(scores(linear, model, scaler));
                }
                SCORES.add(block);
            }
        }
    }

    /** Step 2a of the card {@code wanda}, with a batch of one sequence. */
    private static void add(
            Linear linear, float[] input, Map<String, double[]> scaler, Map<String, Integer> seen) {
        int columns = (int) linear.columns();
        int n = seen.merge(linear.name(), 1, Integer::sum);
        double[] sums = scaler.computeIfAbsent(linear.name(), _ -> new double[columns]);
        for (int j = 0; j < columns; j++) {
            sums[j] *= (n - 1.0) / n;
        }
        for (int i = 0; i < input.length; i++) {
            sums[i % columns] += (double) input[i] * input[i] / n;
        }
    }

    private static double[] scores(
            Linear linear, TinyCheckpoint model, Map<String, double[]> scaler) {
        float[] weight = model.values(linear.weightName());
        double[] squares = Objects.requireNonNull(scaler.get(linear.name()));
        double[] scores = new double[weight.length];
        for (int i = 0; i < scores.length; i++) {
            scores[i] = Math.abs(weight[i]) * Math.sqrt(squares[i % squares.length]);
        }
        return scores;
    }

    @Test
    void owlGivesEachBlockWhatTheCardSays() {
        double[] outliers =
                SCORES.stream()
                        .map(MixtureAllocationTest::together)
                        .mapToDouble(all -> {
                            double limit = 5 * Arrays.stream(all).average().orElseThrow();
                            return 100.0
                                    * Arrays.stream(all).filter(score -> score > limit).count()
                                    / all.length;
                        })
                        .toArray();
        assertBlocks("{method: owl, lambda: 0.08, outlier: 5}", spread(outliers, 0.16));
    }

    @Test
    void dlpGivesEachBlockWhatTheCardSays() {
        double[] importance =
                SCORES.stream()
                        .map(MixtureAllocationTest::together)
                        .mapToDouble(all -> {
                            Arrays.sort(all);
                            return -all[(all.length - 1) / 2];
                        })
                        .toArray();
        assertBlocks("{method: dlp, alpha: 0.15}", spread(importance, 0.3));
    }

    @Test
    void globalComparesExpertsAndAttentionOnOneScale() {
        double[] all = SCORES.stream().flatMapToDouble(b -> Arrays.stream(together(b))).toArray();
        Arrays.sort(all);
        double limit = all[(int) Math.floor(SPARSITY * all.length)];
        List<LayerOutcome> layers = layers("global");
        int next = 0;
        for (List<double[]> block : SCORES) {
            for (double[] layer : block) {
                double share =
                        (double) Arrays.stream(layer).filter(score -> score < limit).count()
                                / layer.length;
                LayerOutcome outcome = layers.get(next++);
                assertThat(outcome.wanted())
                        .as(outcome.linear().name())
                        .isCloseTo(Math.min(share, 0.99), within(0.015));
            }
        }
    }

    /** The sparsities of the affine map: figures to densities of this range about the target. */
    private static double[] spread(double[] figures, double range) {
        double least = Arrays.stream(figures).min().orElseThrow();
        double most = Arrays.stream(figures).max().orElseThrow();
        double[] density =
                Arrays.stream(figures).map(d -> (d - least) / (most - least) * range).toArray();
        double mean = Arrays.stream(density).average().orElseThrow();
        return Arrays.stream(density).map(d -> SPARSITY - d + mean).toArray();
    }

    private static void assertBlocks(String allocate, double[] expected) {
        for (LayerOutcome layer : layers(allocate)) {
            // A layer moves by whole weights, and the smallest has 128.
            assertThat(layer.wanted())
                    .as(layer.linear().name())
                    .isCloseTo(
                            expected[layer.linear().block()],
                            within(0.001 + 1.0 / layer.linear().size()));
        }
    }

    private static List<LayerOutcome> layers(String allocate) {
        String recipe =
                """
                name: mixture
                score: wanda
                allocate: %s
                select: {pattern: unstructured, group: layer, sparsity: %s}
                """
                        .formatted(allocate, SPARSITY);
        try (TinyCheckpoint model = TinyMixture.mixtral(SEED);
                Decoder decoder = model.open()) {
            return new Pruner(
                            PrunePlan.of(Method.of(RecipeReader.read("mixture", recipe)), decoder),
                            decoder,
                            new Calibration(SEQUENCES),
                            _ -> ScalarType.Float,
                            Progress.SILENT)
                    .run((_, _, _) -> {})
                    .layers();
        }
    }

    private static double[] together(List<double[]> block) {
        return block.stream().flatMapToDouble(Arrays::stream).toArray();
    }
}
