package org.espalier.audit.language;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MomentsTest {
    /** 1 to n, largest first: the percentile is its own rank, and one rank too low or too high is another number. */
    @ParameterizedTest
    @CsvSource({
        "100, 0.95, 95", "100, 0.99, 99", "100, 1, 100", "100, 0, 1", "20, 0.95, 19",
                "21, 0.95, 20",
        "19, 0.95, 19", "1, 0.95, 1", "2, 0.5, 1", "3, 0.5, 2", "1000, 0.99, 990", "1001, 0.99, 991"
    })
    void percentilesAreTheSmallestValueThatEnoughDoNotExceed(int n, double fraction, double rank) {
        double[] values = IntStream.rangeClosed(1, n).mapToDouble(i -> n + 1 - i).toArray();
        assertThat(Moments.percentile(values, fraction)).isEqualTo(rank);
    }

    @Test
    void theStandardErrorIsThatOfTheSampleMean() {
        assertThat(Moments.mean(new double[] {1, 2, 4, 9})).isEqualTo(4);
        // Squares about the mean: 9 + 4 + 0 + 25 = 38; variance over n - 1, divided by n.
        assertThat(Moments.standardError(new double[] {1, 2, 4, 9}))
                .isCloseTo(Math.sqrt(38.0 / 3 / 4), within(1e-12));
        assertThat(Moments.standardError(new double[] {5})).isZero();
    }
}
