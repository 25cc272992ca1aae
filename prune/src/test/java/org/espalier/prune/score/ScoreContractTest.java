package org.espalier.prune.score;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.tensor.Tensors;
import org.espalier.prune.calibrate.LayerStatistics;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What every score obeys; a new one is added to the list. */
class ScoreContractTest {
    private static final int[][] SHAPES = {{1, 1}, {1, 9}, {9, 1}, {5, 7}, {33, 64}};

    static Stream<Score> everyScore() {
        return Stream.of(new Magnitude(), new Wanda(), new Ria(0.5), new Ria(0));
    }

    @ParameterizedTest
    @MethodSource("everyScore")
    void scoresAreFiniteNonNegativeRepeatableAndLeaveTheirInputsAlone(Score score) {
        for (int[] shape : SHAPES) {
            try (PointerScope scope = new PointerScope()) {
                Tensor weight = weight(shape[0], shape[1]);
                LayerStatistics statistics = statistics(shape[1], 3, 12);
                float[] before = Tensors.toFloats(weight);
                float[] scores = checked(score, weight, statistics);
                assertThat(checked(score, weight, statistics)).isEqualTo(scores);
                assertThat(Tensors.toFloats(weight)).isEqualTo(before);
                assertThat(Tensors.toDoubles(statistics.columnNorm()))
                        .isEqualTo(Tensors.toDoubles(statistics(shape[1], 3, 12).columnNorm()));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("everyScore")
    void withoutTokensThereIsStillAnOrder(Score score) {
        try (PointerScope scope = new PointerScope()) {
            float[] scores = checked(score, weight(4, 6), LayerStatistics.NONE);
            assertThat(scores).isEqualTo(checked(score, weight(4, 6), statistics(6, 0, 0)));
            assertThat(scores).doesNotHaveDuplicates();
        }
    }

    @ParameterizedTest
    @MethodSource("everyScore")
    void weightsOfZeroScoreZero(Score score) {
        try (PointerScope scope = new PointerScope()) {
            Tensor zeros = Tensors.floats(new float[12], 3, 4);
            assertThat(checked(score, zeros, statistics(4, 2, 8))).containsOnly(0);
        }
    }

    @ParameterizedTest
    @MethodSource("everyScore")
    void theSignOfAWeightMeansNothing(Score score) {
        try (PointerScope scope = new PointerScope()) {
            Tensor weight = weight(5, 8);
            LayerStatistics statistics = statistics(8, 2, 8);
            assertThat(checked(score, weight.neg(), statistics))
                    .isEqualTo(checked(score, weight, statistics));
        }
    }

    private static float[] checked(Score score, Tensor weight, LayerStatistics statistics) {
        Tensor result = score.score(weight, statistics);
        assertThat(Tensors.shape(result)).isEqualTo(Tensors.shape(weight));
        assertThat(result.is_contiguous()).isTrue();
        assertThat(result.data_ptr().address()).isNotEqualTo(weight.data_ptr().address());
        float[] scores = Tensors.toFloats(result);
        for (float value : scores) {
            assertThat(value).isFinite().isNotNegative();
        }
        return scores;
    }

    private static Tensor weight(int rows, int columns) {
        Random random = new Random(17);
        float[] weight = new float[rows * columns];
        for (int i = 0; i < weight.length; i++) {
            weight[i] = (float) random.nextGaussian();
        }
        return Tensors.floats(weight, rows, columns);
    }

    /** Features of different norms, the first of them dead. */
    private static LayerStatistics statistics(int columns, long sequences, long tokens) {
        double[] squares = new double[columns];
        Arrays.setAll(squares, j -> tokens == 0 ? 0 : j * 1.5);
        return new LayerStatistics(
                sequences, tokens, Tensors.doubles(squares, columns), null, null, null);
    }
}
