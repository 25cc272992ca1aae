package org.espalier.prune.select;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class OrderStatisticTest {
    private static final float[] EXTREMES = {
        Float.NEGATIVE_INFINITY,
        -Float.MAX_VALUE,
        -1,
        -Float.MIN_VALUE,
        0,
        Float.MIN_VALUE,
        Float.MIN_NORMAL,
        1,
        Math.nextUp(1f),
        Float.MAX_VALUE,
        Float.POSITIVE_INFINITY
    };

    @Test
    void keysAreInTheOrderOfTheFloats() {
        for (int i = 0; i + 1 < EXTREMES.length; i++) {
            assertThat(OrderStatistic.key(EXTREMES[i]))
                    .isLessThan(OrderStatistic.key(EXTREMES[i + 1]));
        }
        assertThat(OrderStatistic.key(-0f)).isEqualTo(OrderStatistic.key(0f));
    }

    @Test
    void everyRankOfExtremesIsFoundWithItsValue() {
        FloatChunks values = FloatChunks.of(List.of(MemorySegment.ofArray(EXTREMES)));
        for (int rank = 1; rank <= EXTREMES.length; rank++) {
            OrderStatistic.Cut cut = OrderStatistic.cut(values, rank);
            assertThat(cut.value()).isEqualTo(EXTREMES[rank - 1]);
            assertThat(cut.ties()).isOne();
        }
    }

    @Test
    void severalArraysCountAsOneListAcrossThreads() {
        SplittableRandom random = new SplittableRandom(5);
        float[] all = new float[200_000];
        for (int i = 0; i < all.length; i++) {
            all[i] = random.nextInt(-300, 300) / 16f;
        }
        FloatChunks values =
                FloatChunks.of(
                        List.of(
                                MemorySegment.ofArray(Arrays.copyOfRange(all, 0, 77_777)),
                                MemorySegment.ofArray(new float[0]),
                                MemorySegment.ofArray(
                                        Arrays.copyOfRange(all, 77_777, all.length))));
        Arrays.sort(all);
        for (int rank : new int[] {1, 2, 99_999, 100_000, 199_999, 200_000}) {
            OrderStatistic.Cut cut = OrderStatistic.cut(values, rank);
            assertThat(cut.value()).as("rank %d, seed 5", rank).isEqualTo(all[rank - 1]);
            int before = 0;
            while (all[before] < cut.value()) {
                before++;
            }
            assertThat(cut.ties()).as("rank %d, seed 5", rank).isEqualTo(rank - before);
        }
    }

    /** More candidates than are gathered at once: they are counted a second time where they are. */
    @Test
    void aCrowdWithEqualLeadingBitsIsCountedWhereItIs() {
        float[] crowd = new float[3 << 20];
        for (int i = 0; i < crowd.length; i++) {
            crowd[i] = Float.intBitsToFloat(0x3f800000 + i % 1000);
        }
        FloatChunks values = FloatChunks.of(List.of(MemorySegment.ofArray(crowd)));
        OrderStatistic.Cut cut = OrderStatistic.cut(values, crowd.length / 2);
        int each = crowd.length / 1000;
        assertThat(cut.value()).isEqualTo(Float.intBitsToFloat(0x3f800000 + 499));
        assertThat(cut.equal()).isBetween((long) each, each + 1L);
        assertThat(cut.ties()).isBetween(1L, cut.equal());
    }
}
