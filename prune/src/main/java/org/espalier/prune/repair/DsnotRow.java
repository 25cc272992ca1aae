package org.espalier.prune.repair;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.espalier.prune.select.OrderStatistic;

/** The swaps of DSnoT within one row; an instance is scratch space for the rows of one thread. */
final class DsnotRow {
    /** Stands in for the variance of a feature that never varies. */
    private static final double LEAST_VARIANCE = 1e-30;

    private final Dsnot settings;
    private final Inputs inputs;
    private final int groupWidth;
    private final int columns;
    private final int cycles;

    /** What each weight gives on average: a removed one if it were dense again, a kept one as it is. */
    private final double[] contribution;

    private final float[] removalScore;
    private final boolean[] mayGo;
    private final double[] growthDivisor;

    /** Candidates as (key of the rank, column) in one long, ascending; each list with how many there are. */
    private final long[] growth;

    private final long[] removal;

    /** What the inputs say, per feature: plain arrays that all threads read and none writes. */
    static final class Inputs {
        final double[] sum;
        final double[] norm;
        final double[] variance;

        /**
         * @param sum mean over the sequences of the sum over the tokens, sigma in the card
         * @param norm Wanda's norm
         * @param variance within a sequence
         */
        Inputs(double[] sum, double[] norm, double[] variance) {
            this.sum = sum;
            this.norm = norm;
            this.variance = variance;
        }
    }

    /**
     * @param groupWidth M of N:M, or 0 to swap freely within the row
     */
    DsnotRow(Dsnot settings, Inputs inputs, int groupWidth) {
        this.settings = settings;
        this.inputs = inputs;
        this.groupWidth = groupWidth;
        this.columns = inputs.sum.length;
        this.cycles = settings.cycles().in(columns);
        this.contribution = new double[columns];
        this.removalScore = new float[columns];
        this.mayGo = new boolean[columns];
        this.growth = new long[columns];
        this.removal = new long[columns];
        this.growthDivisor = new double[columns];
        for (int j = 0; j < columns; j++) {
            growthDivisor[j] =
                    Math.pow(Math.max(inputs.variance[j], LEAST_VARIANCE), settings.power());
        }
    }

    /**
     * Swaps until the row is good, or nothing is left to swap.
     *
     * @param dense float32 [in_features]
     * @param pruned float32 [in_features], changed where a weight grows back or goes
     * @param keep bytes [in_features], changed alike
     */
    void refine(MemorySegment dense, MemorySegment pruned, MemorySegment keep) {
        double error = read(dense, pruned, keep);
        double sign = Math.signum(error);
        boolean keepsSign = settings.sameSign() || groupWidth > 0;
        int grown = sortGrowth(keep);
        Removals removals = groupWidth > 0 ? this::cheapestOfGroup : new SignedRemovals();
        int bottom = 0;
        int top = grown - 1;
        for (int cycle = 0; cycle < cycles; cycle++) {
            if (!(Math.abs(error) > settings.threshold())) {
                return;
            }
            boolean surplus = error > 0;
            int position = surplus ? top-- : bottom++;
            if (position < 0 || position >= grown) {
                return;
            }
            int grow = (int) growth[position];
            if (contribution[grow] > 0 != surplus) {
                return;
            }
            int remove = removals.next(grow, surplus);
            if (remove < 0) {
                if (groupWidth > 0) {
                    continue;
                }
                return;
            }
            double after = error + contribution[remove] - contribution[grow];
            if (keepsSign && Math.signum(after) != sign) {
                return;
            }
            mayGo[remove] = false;
            swap(grow, remove, dense, pruned, keep);
            error = after;
        }
    }

    /** Which weight goes for one that grows. */
    private interface Removals {
        /** Its column, or -1 if there is none. */
        int next(int grow, boolean surplus);
    }

    /** Reads the row and returns its expected error, what the dense row gives on average beyond the pruned one. */
    private double read(MemorySegment dense, MemorySegment pruned, MemorySegment keep) {
        double error = 0;
        for (int j = 0; j < columns; j++) {
            float whole = dense.getAtIndex(ValueLayout.JAVA_FLOAT, j);
            float left = pruned.getAtIndex(ValueLayout.JAVA_FLOAT, j);
            mayGo[j] = keep.get(ValueLayout.JAVA_BYTE, j) != 0;
            contribution[j] = (mayGo[j] ? left : whole) * inputs.sum[j];
            removalScore[j] = (float) (Math.abs(left) * inputs.norm[j]);
            error += ((double) whole - left) * inputs.sum[j];
        }
        return error;
    }

    /** Removed weights that would change the output, in the order of their contribution over the variance. */
    private int sortGrowth(MemorySegment keep) {
        int count = 0;
        for (int j = 0; j < columns; j++) {
            if (keep.get(ValueLayout.JAVA_BYTE, j) == 0 && contribution[j] != 0) {
                growth[count++] = entry((float) (contribution[j] / growthDivisor[j]), j);
            }
        }
        Arrays.sort(growth, 0, count);
        return count;
    }

    private static long entry(float rank, int column) {
        return (long) OrderStatistic.key(rank) << 32 | column;
    }

    /** N:M: the kept weight of the same group with the least Wanda score. */
    private int cheapestOfGroup(int grow, boolean surplus) {
        int start = grow - grow % groupWidth;
        int cheapest = -1;
        for (int j = start; j < start + groupWidth; j++) {
            if (mayGo[j] && (cheapest < 0 || removalScore[j] < removalScore[cheapest])) {
                cheapest = j;
            }
        }
        return cheapest;
    }

    private static void swap(
            int grow, int remove, MemorySegment dense, MemorySegment pruned, MemorySegment keep) {
        float grown = dense.getAtIndex(ValueLayout.JAVA_FLOAT, grow);
        pruned.setAtIndex(ValueLayout.JAVA_FLOAT, grow, grown);
        pruned.setAtIndex(ValueLayout.JAVA_FLOAT, remove, 0f);
        keep.set(ValueLayout.JAVA_BYTE, grow, (byte) 1);
        keep.set(ValueLayout.JAVA_BYTE, remove, (byte) 0);
    }

    /**
     * Unstructured: the kept weights with negative contribution for a row that gives too little, those with positive
     * contribution for one that gives too much, each in ascending Wanda order.
     */
    private final class SignedRemovals implements Removals {
        private final int count;
        private int nextNegative;
        private int nextPositive;

        SignedRemovals() {
            int kept = 0;
            for (int j = 0; j < columns; j++) {
                if (mayGo[j] && contribution[j] != 0) {
                    removal[kept++] = entry(removalScore[j], j);
                }
            }
            Arrays.sort(removal, 0, kept);
            count = kept;
        }

        @Override
        public int next(int grow, boolean surplus) {
            return surplus ? nextNegative() : nextPositive();
        }

        private int nextNegative() {
            while (nextNegative < count) {
                int column = (int) removal[nextNegative++];
                if (contribution[column] < 0) {
                    return column;
                }
            }
            return -1;
        }

        private int nextPositive() {
            while (nextPositive < count) {
                int column = (int) removal[nextPositive++];
                if (contribution[column] > 0) {
                    return column;
                }
            }
            return -1;
        }
    }
}
