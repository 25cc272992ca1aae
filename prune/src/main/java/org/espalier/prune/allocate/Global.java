package org.espalier.prune.allocate;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.Rounding;
import org.espalier.core.recipe.Parameters;
import org.espalier.core.tensor.Tensors;
import org.espalier.prune.select.FloatChunks;
import org.espalier.prune.select.OrderStatistic;

/**
 * One threshold over the scores of all layers: a layer loses what falls below it. Of scores equal to the threshold the
 * first go, in forward order of the layers. Remembers one float per weight, so it is meant for models that fit in
 * memory.
 *
 * <p>Global magnitude pruning, the form of the lottery-ticket papers; card {@code magnitude}.
 *
 * @param minimum least fraction of every layer that stays, in [0, 1], a guard against layers that vanish because
 *     their scale is small; what such a layer keeps too many is taken from the others
 */
public record Global(double minimum) implements Allocation<List<float[]>> {
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
    public boolean readsScores() {
        return true;
    }

    @Override
    public boolean keepsScores() {
        return true;
    }

    /** The scores themselves. */
    @Override
    public List<float[]> summarize(List<Tensor> scores) {
        return scores.stream().map(Tensors::toFloats).toList();
    }

    @Override
    public double[] wanted(
            List<LayerShape> layers, List<List<float[]>> summaries, double sparsity) {
        List<float[]> scores = summaries.stream().flatMap(List::stream).toList();
        requireOnePerLayer(layers, scores);
        long[] removed = new long[layers.size()];
        List<Integer> free = new ArrayList<>(IntStream.range(0, removed.length).boxed().toList());
        long budget = 0;
        for (LayerShape layer : layers) {
            budget += Rounding.removed(layer.size(), sparsity);
        }
        List<Integer> full;
        do {
            cut(scores, free, budget, removed);
            full = new ArrayList<>();
            for (int layer : free) {
                long size = layers.get(layer).size();
                long most = Rounding.removed(size, Math.max(sparsity, 1 - minimum));
                if (removed[layer] > most) {
                    removed[layer] = most;
                    budget -= most;
                    full.add(layer);
                }
            }
            free.removeAll(full);
        } while (!full.isEmpty());
        double[] wanted = new double[removed.length];
        for (int i = 0; i < wanted.length; i++) {
            wanted[i] = (double) removed[i] / layers.get(i).size();
        }
        return wanted;
    }

    private static void requireOnePerLayer(List<LayerShape> layers, List<float[]> scores) {
        boolean same = scores.size() == layers.size();
        for (int i = 0; same && i < scores.size(); i++) {
            same = scores.get(i).length == layers.get(i).size();
        }
        if (!same) {
            throw new IllegalArgumentException("the summaries are not those of these layers");
        }
    }

    /** Says how many of the {@code budget} smallest scores lie in each of some layers. */
    private static void cut(
            List<float[]> scores, List<Integer> layers, long budget, long[] removed) {
        for (int layer : layers) {
            removed[layer] = 0;
        }
        if (budget == 0) {
            return;
        }
        List<MemorySegment> all = new ArrayList<>();
        for (int layer : layers) {
            all.add(MemorySegment.ofArray(scores.get(layer)));
        }
        OrderStatistic.Cut cut = OrderStatistic.cut(FloatChunks.of(all), budget);
        long ties = cut.ties();
        for (int layer : layers) {
            for (float score : scores.get(layer)) {
                int key = OrderStatistic.key(score);
                if (key < cut.key()) {
                    removed[layer]++;
                } else if (key == cut.key() && ties > 0) {
                    removed[layer]++;
                    ties--;
                }
            }
        }
    }
}
