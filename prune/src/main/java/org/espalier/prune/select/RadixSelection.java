package org.espalier.prune.select;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.espalier.core.tensor.Parallel;

/**
 * The value of a given rank among more floats than memory holds, found exactly by reading them twice: the first reading
 * counts the upper sixteen bits of each, the second the lower sixteen of those that share the upper ones of the wanted
 * value. The counters take half a mebibyte, whatever the number of values. The result is that of
 * {@link OrderStatistic#cut(FloatChunks, long)}.
 *
 * <p>Use: until {@link #isDone}, {@link #count} all values, in any pieces and any order, and then {@link #narrow}.
 */
public final class RadixSelection {
    private static final int BITS = 16;

    /** Values that a thread handles together. */
    private static final int WIDTH = 1 << 14;

    /** Pieces after which a thread hands its counters over, long before they could overflow. */
    private static final long PIECES = 1 << 16;

    private final long[] bins = new long[1 << BITS];
    private long rank;

    /** The bits of the unsigned key that are known, and how many they are. */
    private int prefix;

    private int known;
    private long equal;

    /**
     * @param rank of the wanted value, from 1 to the number of values
     */
    public RadixSelection(long rank) {
        if (rank < 1) {
            throw new IllegalArgumentException("ranks begin at 1 but this is " + rank);
        }
        this.rank = rank;
    }

    /** Whether the value is found. */
    public boolean isDone() {
        return known == Integer.SIZE;
    }

    /**
     * Counts some of the values, in parallel.
     *
     * @param values float32
     */
    public void count(MemorySegment values) {
        long length = values.byteSize() / Float.BYTES;
        Parallel.rows(
                Math.ceilDiv(length, WIDTH),
                WIDTH,
                (from, to) -> {
                    int[] keys = new int[WIDTH];
                    int[] counters = new int[1 << BITS];
                    for (long piece = from; piece < to; piece++) {
                        long start = piece * WIDTH;
                        int width = (int) Math.min(WIDTH, length - start);
                        OrderStatistic.keys(values, start, width, keys);
                        count(keys, width, counters);
                        if (piece % PIECES == PIECES - 1) {
                            handOver(counters);
                        }
                    }
                    handOver(counters);
                });
    }

    private void count(int[] keys, int length, int[] counters) {
        for (int i = 0; i < length; i++) {
            // The sign bit is flipped so that the bits at the top are in order, too.
            int key = keys[i] ^ Integer.MIN_VALUE;
            if (known == 0) {
                counters[key >>> BITS]++;
            } else if (key >>> BITS == prefix >>> BITS) {
                counters[key & 0xffff]++;
            }
        }
    }

    private void handOver(int[] counters) {
        synchronized (bins) {
            for (int bin = 0; bin < counters.length; bin++) {
                bins[bin] += counters[bin];
            }
        }
        Arrays.fill(counters, 0);
    }

    /**
     * Ends a reading of all values.
     *
     * @throws IllegalStateException if there were fewer values than the rank
     */
    public void narrow() {
        int bin = 0;
        while (bin < bins.length && rank > bins[bin]) {
            rank -= bins[bin];
            bin++;
        }
        if (isDone() || bin == bins.length) {
            throw new IllegalStateException(
                    isDone() ? "the value is found" : "there are fewer values than the rank");
        }
        known += BITS;
        prefix |= bin << (Integer.SIZE - known);
        equal = bins[bin];
        Arrays.fill(bins, 0);
    }

    /** Where a stable ascending sort would be cut. */
    public OrderStatistic.Cut cut() {
        if (!isDone()) {
            throw new IllegalStateException("the values are still to be read");
        }
        return new OrderStatistic.Cut(prefix ^ Integer.MIN_VALUE, rank, equal);
    }

    /**
     * How many values lie before a cut, and how many on it.
     *
     * @param below values whose key is smaller
     * @param equal values whose key is the same
     */
    public record Share(long below, long equal) {
        /**
         * Counts, in parallel.
         *
         * @param values float32
         */
        public static Share of(MemorySegment values, int key) {
            long length = values.byteSize() / Float.BYTES;
            long[] counts = new long[2];
            Parallel.rows(
                    Math.ceilDiv(length, WIDTH),
                    WIDTH,
                    (from, to) -> {
                        int[] keys = new int[WIDTH];
                        long below = 0;
                        long equal = 0;
                        for (long piece = from; piece < to; piece++) {
                            long start = piece * WIDTH;
                            int width = (int) Math.min(WIDTH, length - start);
                            OrderStatistic.keys(values, start, width, keys);
                            for (int i = 0; i < width; i++) {
                                below += keys[i] < key ? 1 : 0;
                                equal += keys[i] == key ? 1 : 0;
                            }
                        }
                        synchronized (counts) {
                            counts[0] += below;
                            counts[1] += equal;
                        }
                    });
            return new Share(counts[0], counts[1]);
        }
    }
}
