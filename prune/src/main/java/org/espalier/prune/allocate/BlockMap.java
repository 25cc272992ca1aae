package org.espalier.prune.allocate;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** From one figure per block to a sparsity per layer: the affine map that OWL and DLP share. */
final class BlockMap {
    private BlockMap() {}

    /**
     * Stretches the figures to a range of densities, centres that on the target density (unweighted over the blocks, as
     * in the papers; the {@link BudgetRestorer} weighs by size) and hands each layer the sparsity of its block.
     *
     * @param importance per block, in order; the larger, the denser
     * @param range largest minus smallest density; all sparsities equal the target to the bit if it is 0, or if all
     *     blocks are equally important
     */
    static double[] sparsities(
            List<LayerShape> layers, double[] importance, double range, double sparsity) {
        int[] positions = positions(layers);
        int blocks = Arrays.stream(positions).max().orElse(-1) + 1;
        if (blocks != importance.length) {
            throw new IllegalArgumentException(
                    importance.length + " figures for " + blocks + " blocks");
        }
        double[] density = stretched(importance, range);
        double mean = 0;
        for (double value : density) {
            mean += value / density.length;
        }
        double[] sparsities = new double[layers.size()];
        for (int i = 0; i < sparsities.length; i++) {
            sparsities[i] = sparsity - (density[positions[i]] - mean);
        }
        return sparsities;
    }

    /** For each layer the position of its block among the blocks that have layers at all. */
    private static int[] positions(List<LayerShape> layers) {
        Map<Integer, Integer> seen = new HashMap<>();
        return layers.stream()
                .mapToInt(layer -> seen.computeIfAbsent(layer.block(), block -> seen.size()))
                .toArray();
    }

    private static double[] stretched(double[] importance, double range) {
        double least = Double.POSITIVE_INFINITY;
        double most = Double.NEGATIVE_INFINITY;
        for (double value : importance) {
            least = Math.min(least, value);
            most = Math.max(most, value);
        }
        double[] stretched = new double[importance.length];
        if (most > least) {
            for (int i = 0; i < stretched.length; i++) {
                stretched[i] = (importance[i] - least) / (most - least) * range;
            }
        }
        return stretched;
    }
}
