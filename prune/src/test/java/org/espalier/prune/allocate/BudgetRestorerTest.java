package org.espalier.prune.allocate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.espalier.core.pattern.Group;
import org.espalier.core.pattern.Pattern;
import org.espalier.prune.select.ComparisonGroups;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

class BudgetRestorerTest {
    private static final Pattern ROW = new Pattern.Unstructured(new Group.Row());
    private static final Pattern LAYER = new Pattern.Unstructured(new Group.Layer());

    private static final List<Pattern> PATTERNS =
            List.of(
                    ROW,
                    LAYER,
                    new Pattern.NofM(2, 4),
                    new Pattern.NofM(5, 7),
                    new Pattern.Unstructured(new Group.ColumnBlock(32)));

    /** Every pattern, at any sizes and wishes: no bound is broken, and the budget is met as closely as steps allow. */
    @RepeatedTest(60)
    void missesTheBudgetByLessThanTheSmallestStep(RepetitionInfo repetition) {
        long seed = repetition.getCurrentRepetition();
        SplittableRandom random = new SplittableRandom(seed);
        List<LayerShape> layers = new ArrayList<>();
        int count = random.nextInt(2, 40);
        for (int i = 0; i < count; i++) {
            layers.add(layer(i, i / 7, random.nextInt(1, 90), 28L * random.nextInt(1, 9)));
        }
        double sparsity = random.nextDouble(0, 0.95);
        double[] wanted = wishes(random, count, sparsity);
        for (Pattern pattern : PATTERNS) {
            double[] restored = BudgetRestorer.restore(wanted, layers, pattern, sparsity);
            long gap =
                    removed(uniform(sparsity, count), layers, pattern)
                            - removed(restored, layers, pattern);
            assertThat(gap)
                    .as("%s at %s, seed %d", pattern, sparsity, seed)
                    .isNotNegative()
                    .isLessThan(smallestStep(restored, layers, pattern));
            assertThat(restored).doesNotContain(Double.NaN);
            assertThat(Arrays.stream(restored).boxed()).allMatch(s -> s >= 0 && s <= 0.99);
            assertThat(BudgetRestorer.restore(wanted, layers, pattern, sparsity))
                    .isEqualTo(restored);
        }
    }

    /** Grouped queries, odd sizes: what a decoder is made of leaves room for every exchange. */
    @RepeatedTest(20)
    void meetsTheBudgetOfADecoderToTheWeight(RepetitionInfo repetition) {
        long seed = 1000L + repetition.getCurrentRepetition();
        SplittableRandom random = new SplittableRandom(seed);
        List<LayerShape> layers = new ArrayList<>();
        for (int block = 0; block < 5; block++) {
            for (int rows : new int[] {64, 32, 32, 64, 172, 172}) {
                layers.add(layer(layers.size(), block, rows, 64));
            }
            layers.add(layer(layers.size(), block, 64, 172));
        }
        double sparsity = random.nextDouble(0.3, 0.8);
        double[] wanted = wishes(random, layers.size(), sparsity);
        for (Pattern pattern : List.of(ROW, LAYER, new Pattern.NofM(2, 4))) {
            double[] restored = BudgetRestorer.restore(wanted, layers, pattern, sparsity);
            assertThat(removed(restored, layers, pattern))
                    .as("%s at %s, seed %d", pattern, sparsity, seed)
                    .isEqualTo(removed(uniform(sparsity, layers.size()), layers, pattern));
        }
    }

    @Test
    void equalWishesAreTheBaseMethodToTheBit() {
        List<LayerShape> layers = List.of(layer(0, 0, 3, 7), layer(1, 1, 5, 11));
        double third = 1 / 3.0;
        assertThat(BudgetRestorer.restore(uniform(third, 2), layers, ROW, third))
                .containsExactly(third, third);
        assertThat(BudgetRestorer.restore(uniform(0.9, 2), layers, ROW, third))
                .containsExactly(third, third);
    }

    @Test
    void wishesThatAreExactAlreadyAreGranted() {
        List<LayerShape> layers = List.of(layer(0, 0, 3, 10), layer(1, 1, 6, 10));
        assertThat(BudgetRestorer.restore(new double[] {0.7, 0.4}, layers, ROW, 0.5))
                .containsExactly(0.7, 0.4);
    }

    @Test
    void wishesAreShiftedNotScaledAndWeighedBySize() {
        List<LayerShape> layers = List.of(layer(0, 0, 100, 1000), layer(1, 1, 300, 1000));
        double[] restored = BudgetRestorer.restore(new double[] {0.6, 0.4}, layers, LAYER, 0.5);
        assertThat(restored[0]).isCloseTo(0.65, within(1e-4));
        assertThat(restored[1]).isCloseTo(0.45, within(1e-4));
    }

    @Test
    void whatABoundCutsOffIsSpreadOverTheOthers() {
        List<LayerShape> layers =
                List.of(
                        layer(0, 0, 10, 1000),
                        layer(1, 1, 10, 1000),
                        layer(2, 2, 10, 1000),
                        layer(3, 3, 10, 1000));
        double[] restored =
                BudgetRestorer.restore(new double[] {1.5, 0.9, 0.9, 0.7}, layers, LAYER, 0.9, 0.95);
        assertThat(restored[0]).isCloseTo(0.95, within(1e-3));
        assertThat(restored[1]).isEqualTo(restored[2]).isCloseTo(0.95, within(1e-3));
        assertThat(restored[3]).isCloseTo(0.75, within(1e-3));
    }

    @Test
    void nOfMMovesNUnderTheSameM() {
        List<LayerShape> layers =
                List.of(layer(0, 0, 8, 16), layer(1, 1, 8, 16), layer(2, 2, 8, 16));
        Pattern pattern = new Pattern.NofM(2, 4);
        assertThat(BudgetRestorer.restore(new double[] {0.2, 0.5, 0.8}, layers, pattern, 0.5))
                .containsExactly(0.25, 0.5, 0.75);
    }

    @Test
    void aTargetAboveTheMaximumRaisesIt() {
        List<LayerShape> layers = List.of(layer(0, 0, 10, 1000), layer(1, 1, 10, 1000));
        double[] restored = BudgetRestorer.restore(new double[] {1, 0.99}, layers, LAYER, 0.995);
        assertThat(removed(restored, layers, LAYER)).isEqualTo(19900);
    }

    @Test
    void gapsSmallerThanEveryStepAreClosedByExchanges() {
        List<LayerShape> layers =
                List.of(layer(0, 0, 64, 64), layer(1, 0, 172, 64), layer(2, 1, 64, 172));
        double[] restored =
                BudgetRestorer.restore(new double[] {0.31, 0.57, 0.44}, layers, ROW, 0.47);
        assertThat(removed(restored, layers, ROW))
                .isEqualTo(removed(uniform(0.47, 3), layers, ROW));
    }

    @Test
    void wishesThatAreNoNumbersAreRefusedByName() {
        List<LayerShape> layers = List.of(layer(0, 0, 3, 7), layer(1, 1, 5, 11));
        assertThatThrownBy(() ->
                        BudgetRestorer.restore(new double[] {0.5, Double.NaN}, layers, ROW, 0.5))
                .hasMessageContaining("layer1");
        assertThatThrownBy(() -> BudgetRestorer.restore(new double[1], layers, ROW, 0.5))
                .hasMessageContaining("2 layers");
    }

    private static LayerShape layer(int index, int block, long rows, long columns) {
        return new LayerShape("layer" + index, block, rows, columns);
    }

    private static double[] wishes(SplittableRandom random, int count, double around) {
        double[] wanted = new double[count];
        for (int i = 0; i < count; i++) {
            wanted[i] = around + random.nextDouble(-0.3, 0.3);
        }
        return wanted;
    }

    private static long smallestStep(
            double[] sparsities, List<LayerShape> layers, Pattern pattern) {
        long smallest = Long.MAX_VALUE;
        for (int i = 0; i < sparsities.length; i++) {
            LayerBudget budget =
                    new LayerBudget(
                            ComparisonGroups.of(
                                    pattern, layers.get(i).rows(), layers.get(i).columns()),
                            0.99);
            budget.startAt(sparsities[i]);
            smallest = budget.stepUp() == 0 ? smallest : Math.min(smallest, budget.stepUp());
        }
        return smallest;
    }

    private static double[] uniform(double sparsity, int layers) {
        double[] uniform = new double[layers];
        Arrays.fill(uniform, sparsity);
        return uniform;
    }

    private static long removed(double[] sparsities, List<LayerShape> layers, Pattern pattern) {
        long removed = 0;
        for (int i = 0; i < sparsities.length; i++) {
            LayerShape layer = layers.get(i);
            removed +=
                    ComparisonGroups.of(pattern, layer.rows(), layer.columns())
                            .removed(sparsities[i]);
        }
        return removed;
    }
}
