package org.espalier.prune.calibrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Objects;
import org.bytedeco.javacpp.PointerScope;
import org.espalier.core.tensor.Tensors;
import org.espalier.network.Linear;
import org.junit.jupiter.api.Test;

class StatisticsCollectorTest {
    private static final Linear LINEAR =
            new Linear("layer", 0, "q", 1, 4, false, Linear.BiasSlot.NONE);

    @Test
    void sumsOfSquaresHoldWhatFloat32SquaresCannot() {
        try (StatisticsCollector collector =
                        new StatisticsCollector(List.of(Statistic.SUM_OF_SQUARES));
                PointerScope scope = new PointerScope()) {
            float[] input = {1e30f, 3, 1e-30f, 0, 2e30f, 4, 2e-30f, 0};
            collector.input(List.of(LINEAR), Tensors.floats(input, 1, 2, 4));
            double[] sums =
                    Tensors.toDoubles(Objects.requireNonNull(collector.of(LINEAR).sumOfSquares()));
            assertThat(sums[0] / 1e60).isCloseTo(5, within(1e-6));
            assertThat(sums[1]).isEqualTo(25);
            assertThat(sums[2] * 1e60).isCloseTo(5, within(1e-6));
            assertThat(sums[3]).isZero();
        }
    }

    @Test
    void featuresThatTheGramMatrixTakesForDeadAreKnown() {
        try (StatisticsCollector collector = new StatisticsCollector(List.of(Statistic.GRAM));
                PointerScope scope = new PointerScope()) {
            assertThat(collector.lost(LINEAR)).isNull();
            collector.input(
                    List.of(LINEAR), Tensors.floats(new float[] {1, -1e-20f, 1e-18f, 0}, 1, 1, 4));
            collector.input(
                    List.of(LINEAR), Tensors.floats(new float[] {1, 3e-21f, 1e-18f, 0}, 1, 1, 4));
            assertThat(Tensors.toFloats(Objects.requireNonNull(collector.lost(LINEAR))))
                    .containsExactly(0, 1e-20f, 0, 0);
        }
    }

    /** DSnoT's variance is about the mean of each sequence: what the sequences differ by is no part of it. */
    @Test
    void theVarianceIsWithinASequence() {
        float[] first = {1, 10, 0, 5, 3, 10, 0, 7};
        float[] second = {101, -10, 2, 5, 103, -10, 6, 7};
        float[] both = new float[16];
        System.arraycopy(first, 0, both, 0, 8);
        System.arraycopy(second, 0, both, 8, 8);
        for (boolean together : new boolean[] {false, true}) {
            try (StatisticsCollector collector =
                            new StatisticsCollector(List.of(Statistic.VARIANCE_WITHIN));
                    PointerScope scope = new PointerScope()) {
                if (together) {
                    collector.input(List.of(LINEAR), Tensors.floats(both, 2, 2, 4));
                } else {
                    collector.input(List.of(LINEAR), Tensors.floats(first, 1, 2, 4));
                    collector.input(List.of(LINEAR), Tensors.floats(second, 1, 2, 4));
                }
                // Of (1, 3), (10, 10), (0, 0) and (5, 7), then of (101, 103), (-10, -10), (2, 6)
                // and (5, 7).
                assertThat(Tensors.toDoubles(collector.of(LINEAR).variance()))
                        .as("together: %s", together)
                        .containsExactly(new double[] {1, 0, 2, 1}, within(1e-9));
            }
        }
    }
}
