package org.espalier.prune.allocate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.Rounding;
import org.espalier.core.pattern.Group;
import org.espalier.core.pattern.Pattern;
import org.espalier.core.tensor.Tensors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The golden cases of the cards owl and dlp, the global form of card magnitude, and what every allocation obeys. */
class AllocationsTest {
    private static final Pattern LAYER = new Pattern.Unstructured(new Group.Layer());

    static Stream<Allocation> everyAllocation() {
        return Stream.of(
                new Uniform(),
                new Global(0.01),
                new Owl(0.08, 5),
                new Owl(0.5, 1),
                new Dlp(0.15, Dlp.Reduce.MEDIAN),
                new Dlp(0.15, Dlp.Reduce.MEAN));
    }

    @ParameterizedTest
    @MethodSource("everyAllocation")
    void equalBlocksGetTheTargetToTheBit(Allocation allocation) {
        float[][] equal = new float[6][];
        Arrays.fill(equal, gaussian(1, 77));
        for (double sparsity : new double[] {0, 0.3, 0.7}) {
            double[] wanted = wanted(allocation, equal, sparsity);
            if (allocation instanceof Global) {
                // Of equal scores the first layers lose theirs first, by one weight at most.
                long budget = 6 * Rounding.removed(77, sparsity);
                assertThat(Arrays.stream(wanted).map(share -> share * 77).sum())
                        .isCloseTo((double) budget, within(1e-9));
                assertThat(wanted).isSortedAccordingTo(Comparator.reverseOrder());
                assertThat((wanted[0] - wanted[5]) * 77).isLessThan(1.5);
            } else {
                assertThat(wanted).containsOnly(sparsity);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("everyAllocation")
    void scoresOfZeroAreNoReasonToFail(Allocation allocation) {
        double[] wanted = wanted(allocation, new float[4][21], 0.5);
        double[] restored = BudgetRestorer.restore(wanted, layers(4, 21), LAYER, 0.5);
        assertThat(Arrays.stream(restored).sum()).isCloseTo(4 * 10 / 21.0, within(0.1));
    }

    @ParameterizedTest
    @MethodSource("everyAllocation")
    void permutingTheBlocksPermutesTheSparsities(Allocation allocation) {
        float[][] blocks = differentBlocks(5);
        float[][] permuted = {blocks[3], blocks[0], blocks[4], blocks[1], blocks[2]};
        double[] before = wanted(allocation, blocks, 0.6);
        double[] after = wanted(allocation, permuted, 0.6);
        double[] expected = {before[3], before[0], before[4], before[1], before[2]};
        assertThat(after).containsExactly(expected, within(1e-12));
    }

    @ParameterizedTest
    @MethodSource("everyAllocation")
    void theScaleOfAllScoresTogetherMeansNothing(Allocation allocation) {
        float[][] blocks = differentBlocks(5);
        float[][] larger =
                Arrays.stream(blocks).map(block -> scaled(block, 1024)).toArray(float[][]::new);
        assertThat(wanted(allocation, larger, 0.6))
                .containsExactly(wanted(allocation, blocks, 0.6), within(1e-12));
    }

    @ParameterizedTest
    @MethodSource("everyAllocation")
    void readingIsRepeatableAndLeavesTheScoresAlone(Allocation allocation) {
        float[][] blocks = differentBlocks(3);
        float[][] copies = Arrays.stream(blocks).map(float[]::clone).toArray(float[][]::new);
        double[] first = wanted(allocation, blocks, 0.5);
        assertThat(wanted(allocation, blocks, 0.5)).isEqualTo(first);
        assertThat(blocks).isDeepEqualTo(copies);
        assertThat(first).doesNotContain(Double.NaN).hasSize(3);
    }

    @Test
    void strengthZeroIsUniformToTheBit() {
        float[][] blocks = differentBlocks(7);
        for (double sparsity : new double[] {0.1, 1 / 3.0, 0.7}) {
            assertThat(wanted(new Owl(0, 5), blocks, sparsity)).containsOnly(sparsity);
            assertThat(wanted(new Dlp(0, Dlp.Reduce.MEDIAN), blocks, sparsity))
                    .containsOnly(sparsity);
        }
    }

    @Test
    void densitiesSpreadOverTwiceTheStrengthAroundTheTarget() {
        float[][] blocks = differentBlocks(7);
        for (Allocation allocation :
                List.of(
                        new Owl(0.11, 2),
                        new Dlp(0.11, Dlp.Reduce.MEDIAN),
                        new Dlp(0.11, Dlp.Reduce.MEAN))) {
            double[] wanted = wanted(allocation, blocks, 0.7);
            var statistics = Arrays.stream(wanted).summaryStatistics();
            assertThat(statistics.getMax() - statistics.getMin()).isCloseTo(0.22, within(1e-12));
            assertThat(statistics.getAverage()).isCloseTo(0.7, within(1e-12));
        }
    }

    @Test
    void owlKeepsTheBlockWithPlantedOutliersDensest() {
        float[][] blocks = new float[6][];
        for (int block = 0; block < blocks.length; block++) {
            blocks[block] = gaussian(40 + block, 1000);
        }
        for (int outlier = 0; outlier < 20; outlier++) {
            blocks[4][outlier * 50] = 30;
        }
        double[] wanted = wanted(new Owl(0.08, 5), blocks, 0.7);
        assertThat(wanted[4]).isEqualTo(Arrays.stream(wanted).min().orElseThrow());
        assertThat(wanted[4]).isLessThan(0.6);
    }

    @Test
    void owlCountsThePercentageAboveTheMultipleOfTheMeanOverAllLayersOfTheBlock() {
        try (PointerScope scope = new PointerScope()) {
            List<Tensor> block =
                    List.of(
                            Tensors.floats(new float[] {1, 1, 1, 1, 1, 1}, 2, 3),
                            Tensors.floats(new float[] {30, 4}, 1, 2));
            assertThat(new Owl(0.08, 5).figure(block)).isEqualTo(12.5);
            assertThat(new Owl(0.08, 0.5).figure(block)).isEqualTo(25);
            assertThat(new Owl(0.08, 0.1).figure(block)).isEqualTo(100);
        }
    }

    /**
     * The released code's {@code Lamda} 2 at 4:8 spreads the numbers kept over 2 of 8: 3, 4 and 5. It then keeps 6 in place
     * of 5, and so 13 of 24; the budget is 12.
     */
    @Test
    void owlGivesBlocksAnNOfTheirOwnWithinTheBudget() {
        List<LayerShape> layers = layers(3, 48);
        double[] wanted = new Owl(0.125, 6).wanted(layers, List.of(0.0, 1.0, 2.0), 0.5);
        double[] restored = BudgetRestorer.restore(wanted, layers, new Pattern.NofM(4, 8), 0.5);
        assertThat(restored)
                .containsExactly(new double[] {5.0 / 8, 4.0 / 8, 3.0 / 8}, within(1e-12));
    }

    @Test
    void dlpReducesTheScoresOfTheBlockAsOneList() {
        try (PointerScope scope = new PointerScope()) {
            List<Tensor> block =
                    List.of(
                            Tensors.floats(new float[] {9, 1, 2}, 1, 3),
                            Tensors.floats(new float[] {100, 3, 5}, 3, 1));
            assertThat(new Dlp(0.15, Dlp.Reduce.MEDIAN).figure(block)).isEqualTo(3);
            assertThat(new Dlp(0.15, Dlp.Reduce.MEAN).figure(block)).isEqualTo(20);
        }
    }

    @Test
    void dlpFollowsTheRelativeImportanceOfThePaper() {
        double[] typical = {2, 5, 3, 10};
        double[] relative = new double[4];
        Arrays.setAll(relative, i -> 1 - typical[i] / 20);
        double[] density = new double[4];
        Arrays.setAll(density, i -> (relative[i] - 0.5) / (0.9 - 0.5) * 0.3);
        double mean = Arrays.stream(density).average().orElseThrow();
        double[] wanted =
                new Dlp(0.15, Dlp.Reduce.MEDIAN)
                        .wanted(layers(4, 1), Arrays.stream(typical).boxed().toList(), 0.7);
        for (int i = 0; i < 4; i++) {
            assertThat(wanted[i]).isCloseTo(1 - (density[i] - mean + 0.3), within(1e-12));
        }
    }

    @Test
    void globalMovesThePruningAwayFromAScaledLayerAndMeetsTheBudget() {
        float[][] blocks = {gaussian(1, 300), gaussian(2, 300), gaussian(3, 300)};
        double[] even = wanted(new Global(0), blocks, 0.5);
        assertThat(even).containsExactly(new double[] {0.5, 0.5, 0.5}, within(0.1));
        blocks[1] = scaled(blocks[1], 10);
        double[] moved = wanted(new Global(0), blocks, 0.5);
        assertThat(moved[1]).isLessThan(0.15);
        assertThat((moved[0] + moved[1] + moved[2]) * 300).isCloseTo(450, within(1e-9));
    }

    @Test
    void globalIsTheFrontOfAStableSortOfEverything() {
        float[][] blocks = {{3, 1, 2, 1}, {1, 5, 1, 9}, {1, 1, 0, 7}};
        // Smallest first: the 0 of the last block, then the ones in order of the layers.
        assertThat(wanted(new Global(0), blocks, 0.5)).containsExactly(2 / 4.0, 2 / 4.0, 2 / 4.0);
        assertThat(wanted(new Global(0), blocks, 0.25)).containsExactly(2 / 4.0, 0, 1 / 4.0);
    }

    @Test
    void globalGuardsALayerAgainstCollapse() {
        float[][] blocks = {gaussian(1, 300), scaled(gaussian(2, 300), 1e-6f), gaussian(3, 300)};
        assertThat(wanted(new Global(0), blocks, 0.5)[1]).isEqualTo(1);
        double[] guarded = wanted(new Global(0.2), blocks, 0.5);
        assertThat(guarded[1]).isEqualTo(0.8);
        assertThat((guarded[0] + guarded[1] + guarded[2]) * 300).isCloseTo(450, within(1e-9));
        double[] restored = BudgetRestorer.restore(guarded, layers(3, 300), LAYER, 0.5);
        assertThat(restored).containsExactly(guarded);
    }

    @Test
    void settingsOutOfRangeAreRefused() {
        assertThatThrownBy(() -> new Owl(-0.1, 5)).hasMessageContaining("lambda");
        assertThatThrownBy(() -> new Owl(0.1, 0)).hasMessageContaining("outlier");
        assertThatThrownBy(() -> new Dlp(0.6, Dlp.Reduce.MEAN)).hasMessageContaining("alpha");
        assertThatThrownBy(() -> new Global(Double.NaN)).hasMessageContaining("minimum");
        assertThatThrownBy(() -> new Owl(0.08, 5).wanted(layers(3, 4), List.of(1.0, 2.0), 0.5))
                .hasMessage("2 figures for 3 blocks");
    }

    private static double[] wanted(Allocation allocation, float[][] blocks, double sparsity) {
        return allocation.wanted(
                layers(blocks.length, blocks[0].length), new GivenScores(blocks), sparsity);
    }

    /** Blocks of one layer each. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record GivenScores(float[][] blocks) implements NetworkScores {
        @Override
        public void layers(LayerReader reader) {
            for (int layer = 0; layer < blocks.length; layer++) {
                try (PointerScope scope = new PointerScope()) {
                    reader.read(layer, Tensors.floats(blocks[layer], 1, blocks[layer].length));
                }
            }
        }

        @Override
        public void blocks(Consumer<List<Tensor>> reader) {
            layers((_, score) -> reader.accept(List.of(score)));
        }
    }

    private static List<LayerShape> layers(int blocks, int columns) {
        List<LayerShape> layers = new ArrayList<>();
        for (int block = 0; block < blocks; block++) {
            layers.add(new LayerShape("layers." + block, block, 1, columns));
        }
        return layers;
    }

    /** Blocks of different scale and with different shares of outliers. */
    private static float[][] differentBlocks(int count) {
        float[][] blocks = new float[count][];
        for (int block = 0; block < count; block++) {
            blocks[block] = scaled(gaussian(block, 501), 1 + block * 0.37f);
            for (int outlier = 0; outlier <= 3 * block; outlier++) {
                blocks[block][outlier] *= 40;
            }
        }
        return blocks;
    }

    private static float[] gaussian(long seed, int size) {
        Random random = new Random(seed);
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = (float) Math.abs(random.nextGaussian());
        }
        return values;
    }

    private static float[] scaled(float[] values, float factor) {
        float[] scaled = values.clone();
        for (int i = 0; i < scaled.length; i++) {
            scaled[i] *= factor;
        }
        return scaled;
    }
}
