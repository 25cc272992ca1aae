package org.espalier.prune;

import java.util.List;

/**
 * What became of the model.
 *
 * @param layers in forward order
 * @param blocks in forward order
 * @param allocateSeconds time in the dense pass that the allocation asked for; 0 where it asked for none
 * @param seconds time in all
 */
public record PruneOutcome(
        List<LayerOutcome> layers,
        List<BlockOutcome> blocks,
        double allocateSeconds,
        double seconds) {
    public PruneOutcome {
        layers = List.copyOf(layers);
        blocks = List.copyOf(blocks);
    }

    /** Weights removed in all layers. */
    public long removed() {
        return layers.stream().mapToLong(LayerOutcome::removed).sum();
    }

    /** Weights in all pruned layers. */
    public long prunable() {
        return layers.stream().mapToLong(layer -> layer.linear().size()).sum();
    }

    /** Fraction of the prunable weights that was removed. */
    public double sparsity() {
        return (double) removed() / prunable();
    }
}
