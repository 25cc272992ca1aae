package org.espalier.train.model;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.espalier.core.UserError;

/**
 * A corpus as one long row of tokens, cut into sequences of one length. Every token but the first of a sequence is a
 * target; neighbouring sequences share one token, so that no target is lost. Reading is by step number alone: a
 * resumed training needs no position.
 */
final class PackedTokens {
    /** Ids are kept in 16 bits. */
    static final int LARGEST_VOCABULARY = 1 << 16;

    private final char[] tokens;
    private final int length;
    private final long seed;
    private int shuffledEpoch = -1;
    private int[] order = {};

    /**
     * @param tokens the row
     * @param length targets per sequence
     * @param seed decides the order, a new permutation in every epoch
     */
    PackedTokens(char[] tokens, int length, long seed) {
        if (tokens.length <= length) {
            throw new UserError(
                    "the corpus has "
                            + tokens.length
                            + " tokens, but one training sequence needs "
                            + (length + 1)
                            + "; give more text or a shorter context");
        }
        this.tokens = tokens;
        this.length = length;
        this.seed = seed;
    }

    /** Number of whole sequences. */
    int count() {
        return (tokens.length - 1) / length;
    }

    /** Number of tokens in the row. */
    int size() {
        return tokens.length;
    }

    /** The tokens [length + 1] of a sequence in corpus order. */
    long[] sequence(int index) {
        long[] ids = new long[length + 1];
        for (int i = 0; i <= length; i++) {
            ids[i] = tokens[index * length + i];
        }
        return ids;
    }

    /** The sequence that a training reads as its {@code position}-th, from 0, going round the corpus without end. */
    long[] shuffled(long position) {
        int epoch = (int) (position / count());
        if (epoch != shuffledEpoch) {
            order = permutation(count(), new SplittableRandom(seed + epoch));
            shuffledEpoch = epoch;
        }
        return sequence(order[(int) (position % count())]);
    }

    /** Entropy in nats of the distribution of single tokens: what a model gets that knows nothing else. */
    double unigramEntropy() {
        long[] counts = new long[LARGEST_VOCABULARY];
        for (char token : tokens) {
            counts[token]++;
        }
        return Arrays.stream(counts)
                .filter(count -> count > 0)
                .mapToDouble(count -> (double) count / tokens.length)
                .map(share -> -share * Math.log(share))
                .sum();
    }

    /** Fisher and Yates. */
    private static int[] permutation(int size, SplittableRandom random) {
        int[] order = new int[size];
        for (int i = 0; i < size; i++) {
            int other = random.nextInt(i + 1);
            order[i] = order[other];
            order[other] = i;
        }
        return order;
    }
}
