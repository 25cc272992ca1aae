package org.espalier.prune;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.UserError;
import org.espalier.core.progress.Progress;
import org.espalier.core.recipe.Selection;
import org.espalier.core.tensor.Tensors;
import org.espalier.network.Decoder;
import org.espalier.prune.allocate.Allocation;
import org.espalier.prune.allocate.BudgetRestorer;
import org.espalier.prune.allocate.LayerShape;
import org.espalier.prune.calibrate.Calibration;
import org.espalier.prune.calibrate.GivenStatistics;
import org.espalier.prune.calibrate.HiddenStates;
import org.espalier.prune.calibrate.SavedStates;
import org.espalier.prune.calibrate.Thrift;
import org.jspecify.annotations.Nullable;

/**
 * Walks a network block by block: gather the declared statistics, solve each layer, hand the block's output to the next
 * block. Only the current block and the hidden states of the calibration tokens are in memory.
 */
public final class Pruner {
    private final Walk walk;

    /**
     * A run with everything in memory.
     *
     * @param plan what is to be done
     * @param decoder the dense model; it is never changed
     * @param calibration sequences to measure on; {@link Calibration#NONE} where the method reads no data
     * @param storage dtype that the tensor of this name is stored in: what is pruned is rounded to it at once, so that
     *     the following blocks see what a reader of the result will see
     * @param progress hears about each block
     * @throws UserError if the method reads data and there is none
     */
    public Pruner(
            PrunePlan plan,
            Decoder decoder,
            Calibration calibration,
            Function<String, ScalarType> storage,
            Progress progress) {
        this(plan, decoder, calibration, storage, progress, Thrift.NONE);
    }

    /**
     * @param plan what is to be done
     * @param decoder the dense model; it is never changed
     * @param calibration sequences to measure on; {@link Calibration#NONE} where the method reads no data
     * @param storage dtype that the tensor of this name is stored in
     * @param progress hears about each block
     * @param thrift how memory is spared; the result is the same to the bit
     * @throws UserError if the method reads data and there is none
     */
    public Pruner(
            PrunePlan plan,
            Decoder decoder,
            Calibration calibration,
            Function<String, ScalarType> storage,
            Progress progress,
            Thrift thrift) {
        this(plan, decoder, calibration, null, storage, progress, thrift);
    }

    /**
     * A run with an importance matrix in place of a calibration pass.
     *
     * @param plan what is to be done; its method reads nothing but column norms
     * @param decoder the dense model; it is never run
     * @param given the column norms
     * @param storage dtype that the tensor of this name is stored in
     * @param progress hears about each block
     * @param thrift how memory is spared
     * @throws UserError if the method reads something else
     */
    public Pruner(
            PrunePlan plan,
            Decoder decoder,
            GivenStatistics given,
            Function<String, ScalarType> storage,
            Progress progress,
            Thrift thrift) {
        this(plan, decoder, Calibration.NONE, given, storage, progress, thrift);
        GivenStatistics.require(plan.method().recipe().name(), plan.method().statistics());
    }

    private Pruner(
            PrunePlan plan,
            Decoder decoder,
            Calibration calibration,
            @Nullable GivenStatistics given,
            Function<String, ScalarType> storage,
            Progress progress,
            Thrift thrift) {
        if (given == null && plan.method().readsData() && calibration.isEmpty()) {
            throw new UserError(
                    "recipe "
                            + plan.method().recipe().name()
                            + " measures the model on text: give a .txt or .jsonl file with --calibration");
        }
        Calibration read = plan.method().readsData() ? calibration : Calibration.NONE;
        this.walk = new Walk(plan, decoder, read, given, storage, progress, thrift);
    }

    /** Prunes the whole network; each finished layer goes to the sink. */
    public PruneOutcome run(LayerSink sink) {
        return run(sink, EarlierWork.NONE);
    }

    /**
     * Prunes what an interrupted run with the same inputs has left; each layer that is finished now goes to the sink.
     *
     * @return the outcome of both runs together; its seconds are those of this one
     */
    public PruneOutcome run(LayerSink sink, EarlierWork earlier) {
        long start = System.nanoTime();
        try (AutoGradMode noGrad = Tensors.noGrad()) {
            double allocateSeconds = earlier.allocateSeconds();
            double[] sparsities =
                    earlier.sparsities().stream().mapToDouble(Double::doubleValue).toArray();
            if (sparsities.length == 0) {
                sparsities = allocate();
                allocateSeconds = seconds(start);
                sink.allocated(sparsities, allocateSeconds);
            }
            List<LayerOutcome> layers = new ArrayList<>(earlier.layers());
            List<BlockOutcome> blocks = new ArrayList<>(earlier.blocks());
            int all = walk.decoder().blocks();
            CarriedStates carried = new CarriedStates(walk, earlier);
            try (HiddenStates states = carried.open()) {
                BlockPruner pruner = new BlockPruner(walk, states, sparsities, sink);
                for (int index = blocks.size(); index < all; index++) {
                    walk.progress().step("pruning block", index, all);
                    BlockPruner.Result result = pruner.prune(index, layers.size());
                    blocks.add(result.block());
                    layers.addAll(result.layers());
                    SavedStates saved = index < all - 1 ? carried.save(states) : null;
                    sink.finished(result.block(), result.layers(), saved);
                }
                states.outdate();
            }
            walk.progress().step("pruning block", all, all);
            return new PruneOutcome(layers, blocks, allocateSeconds, seconds(start));
        }
    }

    /** The exact sparsity of each layer, after a dense pass where the allocation asks for one. */
    private double[] allocate() {
        Allocation allocation = walk.method().allocation();
        Selection select = walk.method().recipe().select();
        List<LayerShape> shapes = walk.plan().shapes();
        try (DenseScores scores = new DenseScores(walk)) {
            double[] wanted = allocation.wanted(shapes, scores, select.sparsity());
            return BudgetRestorer.restore(wanted, shapes, select.pattern(), select.sparsity());
        }
    }

    private static double seconds(long startNanos) {
        return (System.nanoTime() - startNanos) * 1e-9;
    }
}
