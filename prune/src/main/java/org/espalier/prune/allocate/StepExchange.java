package org.espalier.prune.allocate;

import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * Closes a gap that no single step fits, by the fewest steps up and down in layers of different step sizes: a breadth
 * first search over the gaps that steps can lead to. With steps of 64 and 172 weights, say, a gap of 4 is closed by 3 steps
 * of 172 up and 8 of 64 down.
 */
final class StepExchange {
    /** Gaps to look at before an inexact budget is accepted: a fraction of a second's work. */
    private static final long MOST_STATES = 1 << 22;

    /** Each move may change the steps that a ragged layer offers, so the plan is made anew after it, this often. */
    private static final int MOST_MOVES = 1000;

    private StepExchange() {}

    /**
     * Moves layers until {@code missing} is 0; leaves them all where they were if the search does not lead there, as
     * with few layers that soon reach their bounds.
     *
     * @param missing weights that must go in addition; negative if too many go
     */
    static void close(List<LayerBudget> layers, long missing) {
        double[] before = layers.stream().mapToDouble(LayerBudget::sparsity).toArray();
        long gap = missing;
        for (int move = 0; gap != 0 && move < MOST_MOVES; move++) {
            long step = firstStep(layers, gap);
            if (step == 0) {
                break;
            }
            apply(layers, step);
            gap -= step;
        }
        if (gap != 0) {
            for (int i = 0; i < before.length; i++) {
                layers.get(i).moveTo(before[i]);
            }
        }
    }

    /** The first step, positive or negative, of a shortest way from the gap to 0; 0 if there is none. */
    private static long firstStep(List<LayerBudget> layers, long gap) {
        SortedSet<Long> steps = new TreeSet<>();
        for (LayerBudget layer : layers) {
            steps.add(layer.stepUp());
            steps.add(-layer.stepDown());
        }
        steps.remove(0L);
        if (steps.isEmpty()) {
            return 0;
        }
        long unit = Math.abs(gap);
        long bound = Math.abs(gap);
        for (long step : steps) {
            unit = greatestCommonDivisor(unit, Math.abs(step));
            bound = Math.max(bound, Math.abs(step));
        }
        long reach = 2 * bound / unit;
        return reach > MOST_STATES ? 0 : search(steps, gap / unit, unit, (int) reach);
    }

    /** Searches backwards, from 0 to the gap, so that the last step found is the first to make. */
    private static long search(SortedSet<Long> steps, long gap, long unit, int reach) {
        boolean[] seen = new boolean[2 * reach + 1];
        ArrayDeque<Integer> queue = new ArrayDeque<>();
        queue.add(0);
        seen[reach] = true;
        while (!queue.isEmpty()) {
            int here = queue.remove();
            for (long step : steps) {
                long there = here + step / unit;
                if (there == gap) {
                    return step;
                }
                if (Math.abs(there) <= reach && !seen[(int) there + reach]) {
                    seen[(int) there + reach] = true;
                    queue.add((int) there);
                }
            }
        }
        return 0;
    }

    /** Moves, of the layers that offer the step, the one that is furthest on the other side of its wish. */
    private static void apply(List<LayerBudget> layers, long step) {
        if (step > 0) {
            layers.stream()
                    .filter(layer -> layer.stepUp() == step)
                    .max(furthest(1))
                    .orElseThrow()
                    .moveUp();
        } else {
            layers.stream()
                    .filter(layer -> layer.stepDown() == -step)
                    .max(furthest(-1))
                    .orElseThrow()
                    .moveDown();
        }
    }

    private static Comparator<LayerBudget> furthest(int sign) {
        return Comparator.comparingDouble(layer -> sign * layer.remainder());
    }

    private static long greatestCommonDivisor(long a, long b) {
        return b == 0 ? a : greatestCommonDivisor(b, a % b);
    }
}
