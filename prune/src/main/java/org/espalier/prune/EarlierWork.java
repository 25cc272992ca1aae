package org.espalier.prune;

import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.espalier.network.Block;
import org.espalier.prune.calibrate.SavedStates;

/**
 * What an interrupted run has finished, so that {@link Pruner} can go on after it. The rest of the result is then the
 * same to the bit as that of a run without interruption.
 *
 * @param sparsities the exact sparsity of each layer in forward order; empty where the allocation was not finished
 * @param allocateSeconds time in the dense pass that the allocation asked for
 * @param layers the finished layers in forward order: all those of the finished blocks
 * @param blocks the finished blocks, from the first on without a gap
 * @param states by the index of a finished block what it has left of the hidden states behind it, as far as it was kept
 * @param restore puts the pruned matrices of a finished block, as they were stored, into the dense block
 */
public record EarlierWork(
        List<Double> sparsities,
        double allocateSeconds,
        List<LayerOutcome> layers,
        List<BlockOutcome> blocks,
        Map<Integer, SavedStates> states,
        Consumer<Block> restore) {
    /** No earlier run. */
    public static final EarlierWork NONE =
            new EarlierWork(
                    List.of(),
                    0,
                    List.of(),
                    List.of(),
                    Map.of(),
                    block -> {
                        throw new IllegalStateException(
                                "block " + block.index() + " is unfinished");
                    });

    public EarlierWork {
        sparsities = List.copyOf(sparsities);
        layers = List.copyOf(layers);
        blocks = List.copyOf(blocks);
        states = Map.copyOf(states);
        if (!blocks.isEmpty() && sparsities.isEmpty()) {
            throw new IllegalArgumentException("blocks are finished but nothing is allocated");
        }
    }
}
