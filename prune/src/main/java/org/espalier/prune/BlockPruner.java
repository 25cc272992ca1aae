package org.espalier.prune;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.tensor.Tensors;
import org.espalier.network.Block;
import org.espalier.network.Linear;
import org.espalier.prune.LayerPruner.Change;
import org.espalier.prune.calibrate.BlockInputs;
import org.espalier.prune.calibrate.HiddenStates;
import org.espalier.prune.calibrate.LayerStatistics;
import org.espalier.prune.calibrate.StatisticsCollector;
import org.jspecify.annotations.Nullable;

/**
 * Prunes one block after the other: measures its inputs, group by group where memory is spared, solves its matrices, and
 * leaves the hidden states as the next block is to see them.
 */
final class BlockPruner {
    private final Walk walk;
    private final HiddenStates states;
    private final double[] sparsities;
    private final LayerPruner layerPruner;

    /**
     * @param states what enters the next block; advanced with every block
     * @param sparsities of all layers of the network in forward order
     */
    BlockPruner(Walk walk, HiddenStates states, double[] sparsities, LayerSink sink) {
        this.walk = walk;
        this.states = states;
        this.sparsities = sparsities;
        this.layerPruner = new LayerPruner(walk, sink);
    }

    /**
     * What became of a block.
     *
     * @param block the block as a whole
     * @param layers its layers, in forward order
     */
    record Result(BlockOutcome block, List<LayerOutcome> layers) {}

    /**
     * Prunes the block that the hidden states stand before.
     *
     * @param firstLayer index of its first layer among all layers
     */
    Result prune(int index, int firstLayer) {
        boolean again =
                walk.propagated() && index < walk.decoder().blocks() - 1 && states.size() > 0;
        List<List<Linear>> groups =
                BlockInputs.groups(
                        walk.plan().layers(index),
                        walk.method().needs(),
                        walk.thrift().statisticsBytes());
        List<LayerOutcome> layers = new ArrayList<>();
        double forwardSeconds = 0;
        double solveSeconds = 0;
        try (Block block = walk.decoder().block(index, walk.thrift().loading());
                Replacements replacements = new Replacements();
                PointerScope scope = new PointerScope()) {
            Tensor denseOutput = null;
            for (int number = 0; number < groups.size(); number++) {
                List<Linear> group = groups.get(number);
                boolean first = number == 0;
                boolean last = number == groups.size() - 1;
                Change change = again ? change(block, replacements, last) : Change.NONE;
                try (StatisticsCollector collector =
                        new StatisticsCollector(
                                walk.method().needs(), group, walk.thrift().gramScratch())) {
                    long start = System.nanoTime();
                    Tensor output =
                            measure(block, collector, !walk.propagated() && last, again && first);
                    denseOutput = again && first ? output : denseOutput;
                    forwardSeconds += seconds(start);
                    long solveStart = System.nanoTime();
                    for (Linear linear : group) {
                        LayerStatistics statistics = walk.statistics(collector, linear);
                        requireSquares(block, linear, collector, statistics);
                        layers.add(
                                layerPruner.prune(
                                        block,
                                        linear,
                                        statistics,
                                        sparsities[firstLayer + layers.size()],
                                        change));
                    }
                    solveSeconds += seconds(solveStart);
                }
            }
            if (groups.isEmpty() && !again && states.size() > 0) {
                advance(block, null); // nothing was measured, so nothing has moved on
            }
            replacements.apply(block);
            Double outputError = null;
            if (again) {
                long start = System.nanoTime();
                outputError = advance(block, denseOutput);
                forwardSeconds += seconds(start);
            }
            return new Result(
                    new BlockOutcome(index, outputError, forwardSeconds, solveSeconds), layers);
        }
    }

    /** Solved matrices of all groups but the last wait: the others are measured with the dense ones in place. */
    private Change change(Block block, Replacements replacements, boolean lastGroup) {
        if (!lastGroup) {
            return (linear, stored, _, bias) -> replacements.add(linear, stored, bias);
        }
        return walk.thrift().loading() == Block.Loading.WHOLE
                ? (linear, _, weight, bias) -> block.replace(linear, weight, bias)
                : (linear, stored, _, bias) -> block.replace(linear, stored, bias);
    }

    /**
     * Runs the dense block over all batches for its statistics.
     *
     * @param advance whether the dense outputs are the next block's inputs
     * @param compared whether to hand the first of them to the caller's scope, for the block's error
     * @return the dense output of the first batch, or null
     */
    private @Nullable Tensor measure(
            Block block, StatisticsCollector collector, boolean advance, boolean compared) {
        Tensor first = null;
        for (int batch = 0; batch < states.size(); batch++) {
            try (PointerScope scope = new PointerScope()) {
                Tensor output = block.forward(states.get(batch), collector);
                if (advance) {
                    states.set(batch, output);
                }
                if (compared && batch == 0) {
                    first = Tensors.own(output);
                }
            }
        }
        if (advance) {
            states.turn();
        }
        if (first != null) {
            PointerScope.getInnerScope().attach(first);
            first.releaseReference();
        }
        return first;
    }

    /**
     * Runs the pruned block over all batches; its outputs are the next block's inputs.
     *
     * @param denseOutput what the dense block made of the first batch, or null
     * @return how far the first batch's output is from it
     */
    private @Nullable Double advance(Block block, @Nullable Tensor denseOutput) {
        Double error = null;
        for (int batch = 0; batch < states.size(); batch++) {
            try (PointerScope scope = new PointerScope()) {
                Tensor output = block.forward(states.get(batch), null);
                if (batch == 0 && denseOutput != null) {
                    error = relativeError(denseOutput, output);
                }
                states.set(batch, output);
            }
        }
        states.turn();
        return error;
    }

    private static void requireSquares(
            Block block, Linear linear, StatisticsCollector collector, LayerStatistics statistics) {
        try (PointerScope scope = new PointerScope()) {
            Tensor lost = collector.lost(linear);
            if (lost != null) {
                Finite.requireSquares(linear, block.weight(linear), lost, statistics);
            }
        }
    }

    private static double relativeError(Tensor dense, Tensor pruned) {
        return LayerError.ratio(
                type -> squaredNorm(dense.sub(pruned), type), type -> squaredNorm(dense, type));
    }

    private static double squaredNorm(Tensor tensor, ScalarType type) {
        return torch.sum(tensor.to(type).square().to(ScalarType.Double)).item_double();
    }

    private static double seconds(long startNanos) {
        return (System.nanoTime() - startNanos) * 1e-9;
    }
}
