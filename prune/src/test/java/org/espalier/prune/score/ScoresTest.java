package org.espalier.prune.score;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.pattern.Group;
import org.espalier.core.pattern.Pattern;
import org.espalier.core.tensor.Tensors;
import org.espalier.prune.calibrate.LayerStatistics;
import org.espalier.prune.select.Selector;
import org.junit.jupiter.api.Test;

/** The golden cases of the cards magnitude, wanda and ria. */
class ScoresTest {
    private static final int ROWS = 6;
    private static final int COLUMNS = 10;
    private static final Pattern ROW = new Pattern.Unstructured(new Group.Row());

    @Test
    void wandaIsTheWeightTimesTheRootOfTheMeanPerSequenceSumOfSquares() {
        float[] scores =
                score(new Wanda(), new float[] {1, -2, 3, -4, 5, -6}, 2, 3, seen(4, 16, 64, 0));
        assertThat(scores).containsExactly(2, 8, 0, 8, 20, 0);
    }

    @Test
    void wandaWithEqualNormsChoosesLikeMagnitude() {
        float[] weight = gaussian(1, ROWS * COLUMNS);
        double[] equal = new double[COLUMNS];
        Arrays.fill(equal, 9);
        assertThat(kept(new Wanda(), weight, seen(1, equal)))
                .isEqualTo(kept(new Magnitude(), weight, LayerStatistics.NONE));
    }

    @Test
    void movingAScaleFromTheWeightsIntoTheInputChangesMagnitudeButNotWanda() {
        float[] weight = gaussian(2, ROWS * COLUMNS);
        double[] squares = new double[COLUMNS];
        Arrays.fill(squares, 1);
        float[] scaled = weight.clone();
        double[] scaledSquares = squares.clone();
        for (int row = 0; row < ROWS; row++) {
            scaled[row * COLUMNS + 3] /= 64;
        }
        scaledSquares[3] *= 64 * 64;
        assertThat(kept(new Wanda(), scaled, seen(1, scaledSquares)))
                .isEqualTo(kept(new Wanda(), weight, seen(1, squares)));
        assertThat(kept(new Magnitude(), scaled, LayerStatistics.NONE))
                .isNotEqualTo(kept(new Magnitude(), weight, LayerStatistics.NONE));
    }

    @Test
    void withoutActivationsWandaFallsBackToMagnitudeAndRiaToRelativeImportance() {
        float[] weight = {1, -2, 3, 4, -5, 6};
        for (LayerStatistics nothing :
                new LayerStatistics[] {LayerStatistics.NONE, seen(2, 0, 0, 0)}) {
            assertThat(score(new Wanda(), weight, 2, 3, nothing)).containsExactly(1, 2, 3, 4, 5, 6);
            assertThat(score(new Ria(0.5), weight, 2, 3, nothing))
                    .containsExactly(score(new Ria(0), weight, 2, 3, seen(1, 1, 2, 3)));
        }
    }

    @Test
    void riaAddsTheShareOfTheColumnToTheShareOfTheRow() {
        float[] scores = score(new Ria(0.5), new float[] {1, -3, -3, 1}, 2, 2, seen(1, 16, 1));
        assertThat(scores).containsExactly(1f, 1.5f, 3f, 0.5f);
    }

    @Test
    void riaDoesNotFeelTheScaleOfTheMatrix() {
        float[] weight = gaussian(3, ROWS * COLUMNS);
        float[] larger = weight.clone();
        for (int i = 0; i < larger.length; i++) {
            larger[i] *= 1024;
        }
        double[] squares = new double[COLUMNS];
        Arrays.setAll(squares, i -> i + 1);
        assertThat(score(new Ria(0.5), larger, ROWS, COLUMNS, seen(1, squares)))
                .containsExactly(
                        score(new Ria(0.5), weight, ROWS, COLUMNS, seen(1, squares)),
                        within(1e-6f));
    }

    @Test
    void riaScoresRowsAndColumnsOfZerosWithZero() {
        float[] scores =
                score(new Ria(0.5), new float[] {0, 0, 0, 0, 2, 0}, 2, 3, seen(1, 1, 1, 1));
        assertThat(scores).containsExactly(0, 0, 0, 0, 2, 0);
    }

    @Test
    void riaRefusesANegativePower() {
        assertThatThrownBy(() -> new Ria(-1)).hasMessageContaining("power");
        assertThatThrownBy(() -> new Ria(Double.NaN)).hasMessageContaining("power");
    }

    private static boolean[] kept(Score score, float[] weight, LayerStatistics statistics) {
        try (PointerScope scope = new PointerScope()) {
            Tensor scores = score.score(Tensors.floats(weight, ROWS, COLUMNS), statistics);
            float[] keep = Tensors.toFloats(Selector.select(scores, ROW, 0.5).keep());
            boolean[] kept = new boolean[keep.length];
            for (int i = 0; i < keep.length; i++) {
                kept[i] = keep[i] != 0;
            }
            return kept;
        }
    }

    private static float[] score(
            Score score, float[] weight, int rows, int columns, LayerStatistics statistics) {
        try (PointerScope scope = new PointerScope()) {
            return Tensors.toFloats(score.score(Tensors.floats(weight, rows, columns), statistics));
        }
    }

    private static LayerStatistics seen(int sequences, double... sumOfSquares) {
        return new LayerStatistics(
                sequences,
                sequences * 5L,
                Tensors.doubles(sumOfSquares, sumOfSquares.length),
                null,
                null,
                null);
    }

    private static float[] gaussian(long seed, int size) {
        Random random = new Random(seed);
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }
}
