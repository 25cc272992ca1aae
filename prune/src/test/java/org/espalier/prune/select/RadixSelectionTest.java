package org.espalier.prune.select;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Against a sort, on values that share sign, exponent or everything. */
class RadixSelectionTest {
    private static final float[] SPECIAL = {
        0f,
        -0f,
        Float.MIN_VALUE,
        -Float.MIN_VALUE,
        Float.MAX_VALUE,
        Float.POSITIVE_INFINITY,
        Float.NEGATIVE_INFINITY,
        1f,
        Math.nextUp(1f),
        Math.nextDown(1f)
    };

    @Test
    void theCutIsThatOfASort() {
        long seed = new Random().nextLong();
        SplittableRandom random = new SplittableRandom(seed);
        for (int round = 0; round < 200; round++) {
            float[] values = values(random, 1 + random.nextInt(round % 10 == 0 ? 40_000 : 300));
            long rank = 1 + random.nextLong(values.length);
            int[] keys = new int[values.length];
            for (int i = 0; i < keys.length; i++) {
                keys[i] = OrderStatistic.key(values[i]);
            }
            int[] sorted = keys.clone();
            Arrays.sort(sorted);
            int key = sorted[(int) rank - 1];
            long below = Arrays.stream(keys).filter(other -> other < key).count();
            long equal = Arrays.stream(keys).filter(other -> other == key).count();
            String which = "seed " + seed + ", round " + round;
            assertThat(cut(values, rank, random))
                    .as(which)
                    .isEqualTo(new OrderStatistic.Cut(key, rank - below, equal))
                    .isEqualTo(
                            OrderStatistic.cut(
                                    FloatChunks.of(
                                            java.util.List.of(MemorySegment.ofArray(values))),
                                    rank));
            assertThat(RadixSelection.Share.of(MemorySegment.ofArray(values), key))
                    .as(which)
                    .isEqualTo(new RadixSelection.Share(below, equal));
        }
    }

    @Test
    void misuseIsRefused() {
        assertThatThrownBy(() -> new RadixSelection(0)).hasMessageContaining("ranks begin at 1");
        RadixSelection search = new RadixSelection(3);
        assertThatThrownBy(search::cut).hasMessageContaining("still to be read");
        search.count(MemorySegment.ofArray(new float[2]));
        assertThatThrownBy(search::narrow).hasMessageContaining("fewer values than the rank");
    }

    /** Counts the values in pieces, as layers are. */
    private static OrderStatistic.Cut cut(float[] values, long rank, SplittableRandom random) {
        RadixSelection search = new RadixSelection(rank);
        while (!search.isDone()) {
            for (int from = 0; from < values.length; ) {
                int to = from + 1 + random.nextInt(values.length - from);
                search.count(MemorySegment.ofArray(Arrays.copyOfRange(values, from, to)));
                from = to;
            }
            search.narrow();
        }
        return search.cut();
    }

    private static float[] values(SplittableRandom random, int length) {
        int kind = random.nextInt(4);
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] =
                    switch (kind) {
                        case 0 -> (float) random.nextGaussian();
                        case 1 -> random.nextInt(5);
                        case 2 -> SPECIAL[random.nextInt(SPECIAL.length)];
                        default -> 1 + random.nextInt(9) * Math.ulp(1f);
                    };
        }
        return values;
    }
}
