package org.espalier.prune;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.UserError;
import org.espalier.core.progress.Progress;
import org.espalier.core.recipe.Recipe;
import org.espalier.core.tensor.Tensors;
import org.espalier.network.Block;
import org.espalier.network.Decoder;
import org.espalier.network.Linear;
import org.espalier.prune.allocate.Allocation;
import org.espalier.prune.allocate.BudgetRestorer;
import org.espalier.prune.calibrate.BlockInputs;
import org.espalier.prune.calibrate.Calibration;
import org.espalier.prune.calibrate.GivenStatistics;
import org.espalier.prune.calibrate.HiddenStates;
import org.espalier.prune.calibrate.LayerStatistics;
import org.espalier.prune.calibrate.Statistic;
import org.espalier.prune.calibrate.StatisticsCollector;
import org.espalier.prune.calibrate.Thrift;
import org.espalier.prune.layer.LayerSolution;
import org.jspecify.annotations.Nullable;

/**
 * Walks a network block by block: gather the declared statistics, solve each layer, hand the block's output to the next
 * block. Only the current block and the hidden states of the calibration tokens are in memory.
 */
public final class Pruner {
    /** Where nothing reads the block again. */
    private static final Change NO_CHANGE = (_, _, _, _) -> {};

    private final PrunePlan plan;
    private final Decoder decoder;
    private final Calibration calibration;
    private final Function<String, ScalarType> storage;
    private final Progress progress;
    private final Thrift thrift;

    /** What was measured elsewhere, in place of a calibration pass; or null. */
    private final @Nullable GivenStatistics given;

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
        this.plan = plan;
        this.decoder = decoder;
        this.calibration = plan.method().readsData() ? calibration : Calibration.NONE;
        this.storage = storage;
        this.progress = progress;
        this.thrift = thrift;
        this.given = given;
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
                sparsities = allocate(plan.method().allocation());
                allocateSeconds = seconds(start);
                sink.allocated(sparsities, allocateSeconds);
            }
            List<LayerOutcome> layers = new ArrayList<>(earlier.layers());
            List<BlockOutcome> blocks = new ArrayList<>(earlier.blocks());
            Calibration unread = blocks.size() == decoder.blocks() ? Calibration.NONE : calibration;
            try (HiddenStates states =
                    HiddenStates.embed(unread, decoder::embed, thrift.scratch())) {
                replay(states, earlier);
                for (int index = blocks.size(); index < decoder.blocks(); index++) {
                    progress.step("pruning block", index, decoder.blocks());
                    int before = layers.size();
                    blocks.add(pruneBlock(index, states, sparsities, layers, sink));
                    sink.finished(
                            blocks.getLast(), List.copyOf(layers.subList(before, layers.size())));
                }
            }
            progress.step("pruning block", decoder.blocks(), decoder.blocks());
            return new PruneOutcome(layers, blocks, allocateSeconds, seconds(start));
        }
    }

    /** Takes the hidden states through the finished blocks: they are what the next block saw when nothing interrupted. */
    private void replay(HiddenStates states, EarlierWork earlier) {
        int finished = earlier.blocks().size();
        for (int index = 0; index < finished && states.size() > 0; index++) {
            progress.step("repeating block", index, finished);
            try (Block block = decoder.block(index, thrift.loading())) {
                if (plan.method().recipe().inputs() == Recipe.Inputs.PROPAGATED) {
                    earlier.restore().accept(block);
                }
                for (int batch = 0; batch < states.size(); batch++) {
                    try (PointerScope scope = new PointerScope()) {
                        states.set(batch, block.forward(states.get(batch), null));
                    }
                }
            }
        }
    }

    private BlockOutcome pruneBlock(
            int index,
            HiddenStates states,
            double[] sparsities,
            List<LayerOutcome> layers,
            LayerSink sink) {
        boolean propagated = plan.method().recipe().inputs() == Recipe.Inputs.PROPAGATED;
        boolean again = propagated && index < decoder.blocks() - 1 && states.size() > 0;
        List<List<Linear>> groups =
                BlockInputs.groups(
                        decoder.linears(index), plan.method().needs(), thrift.statisticsBytes());
        double forwardSeconds = 0;
        double solveSeconds = 0;
        try (Block block = decoder.block(index, thrift.loading());
                Replacements replacements = new Replacements();
                PointerScope scope = new PointerScope()) {
            Tensor denseOutput = null;
            for (int group = 0; group < groups.size(); group++) {
                boolean lastGroup = group == groups.size() - 1;
                try (StatisticsCollector collector =
                        new StatisticsCollector(plan.method().needs(), groups.get(group))) {
                    long start = System.nanoTime();
                    boolean compared = again && group == 0;
                    Tensor first =
                            measure(block, states, collector, !propagated && lastGroup, compared);
                    denseOutput = compared ? first : denseOutput;
                    forwardSeconds += seconds(start);
                    long solveStart = System.nanoTime();
                    for (Linear linear : groups.get(group)) {
                        LayerStatistics statistics = statistics(collector, linear);
                        double sparsity = sparsities[layers.size()];
                        Change change = again ? change(block, replacements, lastGroup) : NO_CHANGE;
                        layers.add(pruneLayer(block, linear, statistics, sparsity, sink, change));
                    }
                    solveSeconds += seconds(solveStart);
                }
            }
            replacements.apply(block);
            Double outputError = null;
            if (again) {
                long start = System.nanoTime();
                for (int batch = 0; batch < states.size(); batch++) {
                    try (PointerScope batchScope = new PointerScope()) {
                        Tensor output = block.forward(states.get(batch), null);
                        if (batch == 0 && denseOutput != null) {
                            outputError = relativeError(denseOutput, output);
                        }
                        states.set(batch, output);
                    }
                }
                forwardSeconds += seconds(start);
            }
            return new BlockOutcome(index, outputError, forwardSeconds, solveSeconds);
        }
    }

    /** What happens to a solved matrix beside being written; it is given as it is stored and as float32. */
    @FunctionalInterface
    private interface Change {
        void accept(Linear linear, Tensor stored, Tensor weight, @Nullable Tensor bias);
    }

    private Change change(Block block, Replacements replacements, boolean lastGroup) {
        if (!lastGroup) {
            return (linear, stored, _, bias) -> replacements.add(linear, stored, bias);
        }
        return thrift.loading() == Block.Loading.WHOLE
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
    private static @Nullable Tensor measure(
            Block block,
            HiddenStates states,
            StatisticsCollector collector,
            boolean advance,
            boolean compared) {
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
        if (first != null) {
            PointerScope.getInnerScope().attach(first);
            first.releaseReference();
        }
        return first;
    }

    private LayerOutcome pruneLayer(
            Block block,
            Linear linear,
            LayerStatistics statistics,
            double sparsity,
            LayerSink sink,
            Change change) {
        long start = System.nanoTime();
        try (PointerScope scope = new PointerScope()) {
            Tensor dense = block.weight(linear).contiguous();
            Finite.requireWeight(linear, dense);
            Finite.requireStatistics(linear, statistics);
            LayerSolution solution =
                    plan.method()
                            .solve(linear.kind(), dense, block.bias(linear), statistics, sparsity);
            Tensor stored = solution.weight().to(storage.apply(linear.weightName()));
            Tensor weight = stored.to(ScalarType.Float);
            Tensor denseBias = block.bias(linear);
            Tensor bias = solution.bias();
            bias = bias == null ? null : rounded(bias, linear.biasName());
            boolean biasChanged = bias != null && (denseBias == null || !denseBias.equal(bias));
            change.accept(linear, stored, weight, bias);
            sink.write(linear, weight, bias);
            double seconds = seconds(start);
            return new LayerOutcome(
                    linear,
                    sparsity,
                    solution.mask().removed(),
                    Tensors.countTrue(weight.eq(new Scalar(0.0))),
                    biasChanged,
                    LayerError.relative(dense, weight, statistics),
                    LayerError.kind(statistics),
                    statistics.tokens(),
                    seconds);
        }
    }

    private LayerStatistics statistics(StatisticsCollector collector, Linear linear) {
        return given == null || !plan.method().readsData()
                ? collector.of(linear)
                : given.of(linear);
    }

    private Tensor rounded(Tensor tensor, String name) {
        return tensor.to(storage.apply(name)).to(ScalarType.Float);
    }

    /** The exact sparsity of each layer, after a dense pass where the allocation asks for one. */
    private <S> double[] allocate(Allocation<S> allocation) {
        List<S> summaries = new ArrayList<>();
        Set<Statistic> needs =
                plan.method().allocationReadsData()
                        ? plan.method().allocationScore().needs()
                        : Set.of();
        Calibration read = needs.isEmpty() ? Calibration.NONE : calibration;
        try (HiddenStates states = HiddenStates.embed(read, decoder::embed, thrift.scratch())) {
            for (int index = 0; index < decoder.blocks(); index++) {
                if (!allocation.readsScores()) {
                    summaries.add(allocation.summarize(List.of()));
                    continue;
                }
                progress.step("scoring block", index, decoder.blocks());
                try (Block block = decoder.block(index, thrift.loading());
                        StatisticsCollector collector = new StatisticsCollector(needs);
                        PointerScope scope = new PointerScope()) {
                    measure(block, states, collector, true, false);
                    List<Tensor> scores = new ArrayList<>();
                    for (Linear linear : decoder.linears(index)) {
                        scores.add(
                                Tensors.scoped(() ->
                                        plan.method()
                                                .allocationScore()
                                                .score(
                                                        block.weight(linear).contiguous(),
                                                        statistics(collector, linear))));
                    }
                    summaries.add(allocation.summarize(scores));
                }
            }
        }
        double target = plan.method().recipe().select().sparsity();
        double[] wanted = allocation.wanted(plan.shapes(), summaries, target);
        return BudgetRestorer.restore(
                wanted, plan.shapes(), plan.method().recipe().select().pattern(), target);
    }

    private static double relativeError(Tensor dense, Tensor pruned) {
        double whole = torch.sum(dense.square().to(ScalarType.Double)).item_double();
        double error = torch.sum(dense.sub(pruned).square().to(ScalarType.Double)).item_double();
        return whole > 0 ? error / whole : 0;
    }

    private static double seconds(long startNanos) {
        return (System.nanoTime() - startNanos) / 1e9;
    }
}
