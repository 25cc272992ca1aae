package org.espalier.prune.allocate;

import java.util.BitSet;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.Rounding;
import org.espalier.core.recipe.Parameters;
import org.espalier.core.tensor.Tensors;
import org.espalier.prune.select.OrderStatistic;
import org.espalier.prune.select.RadixSelection;

/**
 * One threshold over the scores of all layers: a layer loses what falls below it. Of scores equal to the threshold the
 * first go, in forward order of the layers. The threshold is exact and found by reading the scores three times, one layer
 * in memory at a time ({@link RadixSelection}).
 *
 * <p>Global magnitude pruning, the form of the lottery-ticket papers; card {@code magnitude}.
 *
 * @param minimum least fraction of every layer that stays, in [0, 1], a guard against layers that vanish because
 *     their scale is small; what such a layer keeps too many is taken from the others
 */
public record Global(double minimum) implements Allocation {
    /** Small enough to leave all but a collapsing layer alone, and no less than the {@link BudgetRestorer} keeps. */
    public static final double DEFAULT_MINIMUM = 0.01;

    public Global {
        if (!(minimum >= 0 && minimum <= 1)) {
            throw new IllegalArgumentException("minimum must be in [0, 1] but is " + minimum);
        }
    }

    /** Reads {@code minimum} (0.01). */
    public static Global from(Parameters parameters) {
        return new Global(parameters.number("minimum", DEFAULT_MINIMUM, 0, 1));
    }

    @Override
    public Reads reads() {
        return Reads.LAYERS;
    }

    @Override
    public double[] wanted(List<LayerShape> layers, NetworkScores scores, double sparsity) {
        long[] removed = new long[layers.size()];
        BitSet free = new BitSet();
        free.set(0, removed.length);
        long budget = 0;
        for (LayerShape layer : layers) {
            budget += Rounding.removed(layer.size(), sparsity);
        }
        boolean all;
        do {
            cut(layers, scores, free, budget, removed);
            all = true;
            for (int layer = 0; layer < removed.length; layer++) {
                long size = layers.get(layer).size();
                long most = Rounding.removed(size, Math.max(sparsity, 1 - minimum));
                if (free.get(layer) && removed[layer] > most) {
                    removed[layer] = most;
                    budget -= most;
                    free.clear(layer);
                    all = false;
                }
            }
        } while (!all);
        double[] wanted = new double[removed.length];
        for (int i = 0; i < wanted.length; i++) {
            wanted[i] = (double) removed[i] / layers.get(i).size();
        }
        return wanted;
    }

    /** Says how many of the {@code budget} smallest scores lie in each of the free layers. */
    private static void cut(
            List<LayerShape> layers,
            NetworkScores scores,
            BitSet free,
            long budget,
            long[] removed) {
        free.stream().forEach(layer -> removed[layer] = 0);
        if (budget == 0) {
            return;
        }
        RadixSelection search = new RadixSelection(budget);
        while (!search.isDone()) {
            int[] seen = {0};
            scores.layers((layer, score) -> {
                seen[0]++;
                requireSize(layers, layer, score);
                if (free.get(layer)) {
                    search.count(Tensors.segment(score));
                }
            });
            if (seen[0] != layers.size()) {
                throw new IllegalArgumentException(
                        "there are scores of "
                                + seen[0]
                                + " layers but "
                                + layers.size()
                                + " layers");
            }
            search.narrow();
        }
        OrderStatistic.Cut cut = search.cut();
        long[] ties = {cut.ties()};
        scores.layers((layer, score) -> {
            if (free.get(layer)) {
                RadixSelection.Share share =
                        RadixSelection.Share.of(Tensors.segment(score), cut.key());
                long tied = Math.min(ties[0], share.equal());
                ties[0] -= tied;
                removed[layer] = share.below() + tied;
            }
        });
    }

    private static void requireSize(List<LayerShape> layers, int layer, Tensor score) {
        if (layer >= layers.size() || score.numel() != layers.get(layer).size()) {
            throw new IllegalArgumentException(
                    "the score of layer " + layer + " is " + Tensors.describe(score));
        }
    }
}
