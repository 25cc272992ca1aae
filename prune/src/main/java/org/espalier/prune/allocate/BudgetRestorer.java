package org.espalier.prune.allocate;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.espalier.core.pattern.Pattern;
import org.espalier.prune.select.ComparisonGroups;

/**
 * Turns what an allocation would like into what can be had: sparsities that the comparison groups of every layer can
 * take, that stay in bounds, and that together remove as many weights as the uniform allocation would.
 *
 * <p>First all wishes are shifted by one number, with those that hit a bound held there, until their mean weighted by
 * size is right. Each is then rounded down to a count that its groups can have, the weights still missing are given out
 * one group step at a time in the order of the largest remainder, and a gap smaller than every step is closed by the
 * fewest exchanges of steps up and down. What is left over is less than the smallest step, and nothing at all as soon as
 * the layers have room for the exchange, for the budget is itself a sum of such steps.
 */
public final class BudgetRestorer {
    /** No layer loses more than this unless the overall target does: what is left of it must still carry a signal. */
    public static final double DEFAULT_MAXIMUM = 0.99;

    private BudgetRestorer() {}

    /** {@link #restore(double[], List, Pattern, double, double)} with the default maximum. */
    public static double[] restore(
            double[] wanted, List<LayerShape> layers, Pattern pattern, double sparsity) {
        return restore(wanted, layers, pattern, sparsity, DEFAULT_MAXIMUM);
    }

    /**
     * Makes wishes exact.
     *
     * @param wanted a finite sparsity per layer, not necessarily in [0, 1]; if all are equal the target is returned for
     *     every layer, to the bit
     * @param pattern what may be removed together; tiles count as whole ones
     * @param sparsity the overall target, in [0, 1)
     * @param maximum no layer gets more, except where the target itself is larger
     * @return a sparsity per layer for {@link org.espalier.prune.select.Selector}, each the least that removes its count
     */
    public static double[] restore(
            double[] wanted,
            List<LayerShape> layers,
            Pattern pattern,
            double sparsity,
            double maximum) {
        if (wanted.length != layers.size()) {
            throw new IllegalArgumentException(
                    wanted.length + " sparsities for " + layers.size() + " layers");
        }
        for (int i = 0; i < wanted.length; i++) {
            if (!Double.isFinite(wanted[i])) {
                throw new IllegalArgumentException(
                        "the sparsity of " + layers.get(i).name() + " is " + wanted[i]);
            }
        }
        double[] restored = new double[wanted.length];
        Arrays.fill(restored, sparsity);
        if (Arrays.stream(wanted).distinct().count() <= 1) {
            return restored;
        }
        List<LayerBudget> budgets = new ArrayList<>();
        long missing = 0;
        for (LayerShape layer : layers) {
            ComparisonGroups groups = ComparisonGroups.of(pattern, layer.rows(), layer.columns());
            budgets.add(new LayerBudget(groups, Math.max(maximum, sparsity)));
            missing += groups.removed(sparsity);
        }
        double[] exact =
                alreadyExact(wanted, budgets, missing) ? wanted : filled(wanted, budgets, missing);
        for (int i = 0; i < exact.length; i++) {
            missing -= budgets.get(i).startAt(exact[i]);
        }
        missing = giveByLargestRemainder(budgets, missing);
        StepExchange.close(budgets, missing);
        for (int i = 0; i < restored.length; i++) {
            restored[i] = budgets.get(i).sparsity();
        }
        return restored;
    }

    private static boolean alreadyExact(double[] wanted, List<LayerBudget> budgets, long budget) {
        long removed = 0;
        for (int i = 0; i < wanted.length; i++) {
            if (budgets.get(i).clamped(wanted[i]) != wanted[i]) {
                return false;
            }
            removed += budgets.get(i).removed(wanted[i]);
        }
        return removed == budget;
    }

    /** The wishes shifted by one number and clamped, so that they remove {@code budget} weights in real numbers. */
    private static double[] filled(double[] wanted, List<LayerBudget> budgets, long budget) {
        double low = -Arrays.stream(wanted).max().orElseThrow();
        double high = 1 - Arrays.stream(wanted).min().orElseThrow();
        // Sixty-four halvings exhaust the precision of a double.
        for (int halving = 0; halving < 64; halving++) {
            double middle = (low + high) / 2;
            double removed = 0;
            for (int i = 0; i < wanted.length; i++) {
                LayerBudget layer = budgets.get(i);
                removed += layer.clamped(wanted[i] + middle) * layer.size();
            }
            if (removed < budget) {
                low = middle;
            } else {
                high = middle;
            }
        }
        double[] filled = new double[wanted.length];
        for (int i = 0; i < filled.length; i++) {
            filled[i] = budgets.get(i).clamped(wanted[i] + high);
        }
        return filled;
    }

    private static long giveByLargestRemainder(List<LayerBudget> budgets, long missing) {
        long left = missing;
        boolean given = true;
        while (given) {
            given = false;
            double[] remainders = budgets.stream().mapToDouble(LayerBudget::remainder).toArray();
            List<Integer> order =
                    IntStream.range(0, remainders.length)
                            .boxed()
                            .sorted(Comparator.comparingDouble(i -> -remainders[i]))
                            .toList();
            for (int i : order) {
                long step = budgets.get(i).stepUp();
                if (step > 0 && step <= left) {
                    budgets.get(i).moveUp();
                    left -= step;
                    given = true;
                }
            }
        }
        return left;
    }
}
