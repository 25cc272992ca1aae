package org.espalier.prune.select;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.espalier.core.tensor.Parallel;

/**
 * The value of a given rank among many floats, found exactly through histograms of the leading bits: one pass counts, a
 * second gathers the few values that share the leading bits of the wanted one. Linear time, no sorting, and equal values
 * are counted, not guessed. {@code -0} equals {@code +0}.
 */
public final class OrderStatistic {
    /** Bits that one histogram tells apart: 2048 counters stay in the first-level cache. */
    private static final int BITS = 11;

    /** Up to so many candidates are gathered and searched in the cache; more are counted again where they are. */
    private static final int GATHERED = 1 << 20;

    private static final int NEGATIVE_ZERO = Integer.MIN_VALUE;

    /** The bits of the unsigned key that are known so far, and which ones those are. */
    private int prefix;

    private int known;
    private int unknownBits = Integer.SIZE;
    private long rank;
    private long candidates;

    private OrderStatistic(long rank, long values) {
        this.rank = rank;
        this.candidates = values;
    }

    /**
     * Where a stable ascending sort would be cut.
     *
     * @param key key of the last value before the cut; every smaller one is before it too
     * @param ties how many of the values equal to it are before the cut, at least 1: the first ones
     * @param equal how many values are equal to it in all
     */
    public record Cut(int key, long ties, long equal) {
        /** The value itself. */
        public float value() {
            return Float.intBitsToFloat(key >= 0 ? key : key ^ Integer.MAX_VALUE);
        }
    }

    /** Working memory for searches of short lists, one after the other. */
    static final class Scratch {
        private final int[] bins = new int[1 << BITS];
        private int[] gathered = {};

        private int[] gathered(int length) {
            if (gathered.length < length) {
                gathered = new int[length];
            }
            return gathered;
        }
    }

    /** An int that compares with others as the float does; any NaN is beyond the infinities. */
    public static int key(float value) {
        return keyOfBits(Float.floatToRawIntBits(value));
    }

    private static int keyOfBits(int bits) {
        int plain = bits == NEGATIVE_ZERO ? 0 : bits;
        return plain ^ (plain >> 31 & Integer.MAX_VALUE);
    }

    static int keys(MemorySegment values, long from, int length, int[] keys) {
        MemorySegment.copy(values, ValueLayout.JAVA_INT, from * Integer.BYTES, keys, 0, length);
        for (int i = 0; i < length; i++) {
            keys[i] = keyOfBits(keys[i]);
        }
        return length;
    }

    /**
     * Cuts after the {@code rank} smallest of the first {@code length} keys.
     *
     * @param rank from 1 to {@code length}
     */
    static Cut cut(int[] keys, int length, long rank, Scratch scratch) {
        OrderStatistic search = new OrderStatistic(rank, length);
        search.narrow(keys, length, scratch);
        return search.result();
    }

    /**
     * Cuts after the {@code rank} smallest values, reading them two or three times, in parallel.
     *
     * @param rank from 1 to the number of values
     */
    public static Cut cut(FloatChunks values, long rank) {
        OrderStatistic search = new OrderStatistic(rank, Long.MAX_VALUE);
        long[] total = new long[1 << BITS];
        do {
            Parallel.rows(
                    values.chunks(),
                    values.width(),
                    (from, to) -> {
                        int[] keys = new int[values.width()];
                        int[] bins = new int[1 << BITS];
                        for (long chunk = from; chunk < to; chunk++) {
                            search.count(keys, values.load(chunk, keys), bins);
                            if ((chunk & 0xffff) == 0xffff) {
                                drain(bins, total);
                            }
                        }
                        drain(bins, total);
                    });
            search.descend(total);
            Arrays.fill(total, 0);
        } while (search.candidates > GATHERED && search.unknownBits > 0);
        if (search.unknownBits > 0) {
            Gathered gathered = new Gathered((int) search.candidates);
            Parallel.rows(
                    values.chunks(),
                    values.width(),
                    (from, to) -> {
                        int[] keys = new int[values.width()];
                        int[] kept = new int[values.width()];
                        for (long chunk = from; chunk < to; chunk++) {
                            int length = values.load(chunk, keys);
                            gathered.add(kept, search.gather(keys, length, kept));
                        }
                    });
            search.narrow(gathered.keys, gathered.length, new Scratch());
        }
        return search.result();
    }

    /** The candidates of all threads, in any order: equal keys are not told apart. */
    private static final class Gathered {
        private final int[] keys;
        private int length;

        Gathered(int length) {
            keys = new int[length];
        }

        synchronized void add(int[] some, int count) {
            System.arraycopy(some, 0, keys, length, count);
            length += count;
        }
    }

    private static void drain(int[] bins, long[] total) {
        synchronized (total) {
            for (int bin = 0; bin < bins.length; bin++) {
                total[bin] += bins[bin];
            }
        }
        Arrays.fill(bins, 0);
    }

    /** Finds all bits that are unknown yet, in a list that fits the cache. */
    private void narrow(int[] keys, int length, Scratch scratch) {
        int[] list = keys;
        int left = length;
        while (unknownBits > 0) {
            count(list, left, scratch.bins);
            descend(scratch.bins);
            if (unknownBits > 0) {
                int[] next = scratch.gathered(left);
                left = gather(list, left, next);
                list = next;
            }
        }
    }

    private void count(int[] keys, int length, int[] bins) {
        int shift = Math.max(0, unknownBits - BITS);
        int mask = (1 << Math.min(BITS, unknownBits)) - 1;
        // The sign bit is flipped so that the bits at the top are in order, too.
        if (known == 0) {
            for (int i = 0; i < length; i++) {
                bins[(keys[i] ^ Integer.MIN_VALUE) >>> shift & mask]++;
            }
            return;
        }
        int wanted = prefix ^ Integer.MIN_VALUE;
        for (int i = 0; i < length; i++) {
            if (((keys[i] ^ wanted) & known) == 0) {
                bins[keys[i] >>> shift & mask]++;
            }
        }
    }

    /** Copies the keys that have the known bits; works in place as well. */
    private int gather(int[] keys, int length, int[] target) {
        int wanted = prefix ^ Integer.MIN_VALUE;
        int count = 0;
        for (int i = 0; i < length; i++) {
            int key = keys[i];
            if (((key ^ wanted) & known) == 0) {
                target[count++] = key;
            }
        }
        return count;
    }

    private void descend(long[] bins) {
        int bin = 0;
        while (rank > bins[bin]) {
            rank -= bins[bin];
            bin++;
        }
        take(bin, bins[bin]);
    }

    private void descend(int[] bins) {
        int bin = 0;
        while (rank > bins[bin]) {
            rank -= bins[bin];
            bin++;
        }
        take(bin, bins[bin]);
        Arrays.fill(bins, 0);
    }

    private void take(int bin, long count) {
        int bits = Math.min(BITS, unknownBits);
        unknownBits -= bits;
        prefix |= bin << unknownBits;
        known |= ((1 << bits) - 1) << unknownBits;
        candidates = count;
    }

    private Cut result() {
        return new Cut(prefix ^ Integer.MIN_VALUE, rank, candidates);
    }
}
