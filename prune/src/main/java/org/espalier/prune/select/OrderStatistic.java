package org.espalier.prune.select;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.espalier.core.tensor.Parallel;

/**
 * The value of a given rank among many floats, found exactly by four passes over histograms of eight bits each: linear
 * time, no sorting, no copy, and equal values are counted, not guessed. {@code -0} equals {@code +0}.
 */
public final class OrderStatistic {
    private static final int BINS = 256;

    /** The bits of the unsigned key that are known so far, and which ones those are. */
    private int prefix;

    private int known;
    private int shift = 24;
    private long rank;

    private OrderStatistic(long rank) {
        this.rank = rank;
    }

    /**
     * Where a stable ascending sort would be cut.
     *
     * @param key key of the last value before the cut; every smaller one is before it too
     * @param ties how many of the values equal to it are before the cut, at least 1: the first ones
     */
    public record Cut(int key, long ties) {
        /** The value itself. */
        public float value() {
            return Float.intBitsToFloat(key >= 0 ? key : key ^ Integer.MAX_VALUE);
        }
    }

    /** An int that compares with others as the float does; any NaN is beyond the infinities. */
    public static int key(float value) {
        int bits = Float.floatToRawIntBits(value + 0f);
        return bits ^ (bits >> 31 & Integer.MAX_VALUE);
    }

    static int keys(MemorySegment values, long from, int length, int[] keys) {
        for (int i = 0; i < length; i++) {
            keys[i] = key(values.getAtIndex(ValueLayout.JAVA_FLOAT, from + i));
        }
        return length;
    }

    /**
     * Cuts after the {@code rank} smallest of the first {@code length} keys.
     *
     * @param rank from 1 to {@code length}
     * @param bins scratch space of {@link #bins}
     */
    static Cut cut(int[] keys, int length, long rank, long[] bins) {
        OrderStatistic search = new OrderStatistic(rank);
        do {
            search.count(keys, length, bins);
        } while (search.descend(bins));
        return search.result();
    }

    /**
     * Cuts after the {@code rank} smallest values, reading them four times, in parallel.
     *
     * @param rank from 1 to the number of values
     */
    public static Cut cut(FloatChunks values, long rank) {
        OrderStatistic search = new OrderStatistic(rank);
        long[] total = bins();
        do {
            Parallel.rows(
                    values.chunks(),
                    values.width(),
                    (from, to) -> {
                        int[] keys = new int[values.width()];
                        long[] bins = bins();
                        for (long chunk = from; chunk < to; chunk++) {
                            search.count(keys, values.load(chunk, keys), bins);
                        }
                        synchronized (total) {
                            for (int bin = 0; bin < BINS; bin++) {
                                total[bin] += bins[bin];
                            }
                        }
                    });
        } while (search.descend(total));
        return search.result();
    }

    static long[] bins() {
        return new long[BINS];
    }

    private void count(int[] keys, int length, long[] bins) {
        // The sign bit is flipped so that the eight bits at the top are in order, too.
        int wanted = prefix ^ (known & Integer.MIN_VALUE);
        int flip = shift == 24 ? 0x80 : 0;
        for (int i = 0; i < length; i++) {
            int key = keys[i];
            if ((key & known) == wanted) {
                bins[(key >>> shift & 0xff) ^ flip]++;
            }
        }
    }

    /** Takes the next eight bits from the histogram and clears it; false once all bits are known. */
    private boolean descend(long[] bins) {
        int bin = 0;
        while (rank > bins[bin]) {
            rank -= bins[bin];
            bin++;
        }
        prefix |= bin << shift;
        known |= 0xff << shift;
        shift -= 8;
        Arrays.fill(bins, 0);
        return shift >= 0;
    }

    private Cut result() {
        return new Cut(prefix ^ Integer.MIN_VALUE, rank);
    }
}
