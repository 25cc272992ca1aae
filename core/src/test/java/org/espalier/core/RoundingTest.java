package org.espalier.core;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RoundingTest {
    @Test
    void productsThatAreWholeOnPaperAreNotLostToBinaryFractions() {
        assertThat(Rounding.removed(10, 0.7)).isEqualTo(7);
        assertThat(Rounding.removed(1000, 0.29)).isEqualTo(290);
        assertThat(Rounding.removed(4, 1 - 0.5)).isEqualTo(2);
    }

    @Test
    void fractionsAreRoundedDown() {
        assertThat(Rounding.removed(64, 0.7)).isEqualTo(44);
        assertThat(Rounding.removed(3, 0.99)).isEqualTo(2);
        assertThat(Rounding.removed(0, 0.5)).isZero();
        assertThat(Rounding.removed(7, 0)).isZero();
        assertThat(Rounding.removed(7, 1)).isEqualTo(7);
    }

    @Test
    void aCountTurnedIntoASparsityComesBackAsTheSameCount() {
        for (long size : new long[] {1, 3, 128, 4097, 1_000_003, 12_345_678_901L}) {
            for (long removed : new long[] {0, 1, size / 3, size / 2, size - 1, size}) {
                assertThat(Rounding.removed(size, (double) removed / size))
                        .isEqualTo(Math.min(removed, size));
            }
        }
    }
}
