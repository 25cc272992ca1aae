package org.espalier.prune.memory;

import java.util.Collection;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;
import org.espalier.core.recipe.Recipe;
import org.espalier.network.Block;
import org.espalier.network.DecoderConfig;
import org.espalier.network.Linear;
import org.espalier.prune.Method;
import org.espalier.prune.allocate.Allocation;
import org.espalier.prune.calibrate.BlockInputs;
import org.espalier.prune.calibrate.HiddenStates;
import org.espalier.prune.calibrate.Statistic;

/**
 * How much memory a pruning takes: arithmetic on shapes, nothing is read or measured. It follows what the pruner, the
 * block and the solvers hold at the same time, and errs on the side of more.
 *
 * @param method what is done
 * @param config the network's numbers
 * @param blocks the prunable matrices of each block, in forward order
 * @param sequences lengths of the calibration sequences in tokens; empty where the method reads no data, or an importance
 *     matrix in place of a calibration pass
 * @param storedBytes bytes of a weight as it is stored, 2 or 4
 */
public record MemoryModel(
        Method method,
        DecoderConfig config,
        List<List<Linear>> blocks,
        List<Integer> sequences,
        int storedBytes) {
    /** What a run of a model of no size takes, with a margin: measured 0.3 to 0.5 GB (docs/limits.md). */
    public static final long RUNTIME = 512L << 20;

    private static final long FLOAT = Float.BYTES;

    /** Rows that the error of a layer is measured on. */
    private static final long ERROR_ROWS = 256;

    public MemoryModel {
        blocks = blocks.stream().map(List::copyOf).toList();
        sequences = List.copyOf(sequences);
    }

    /** Calibration tokens. */
    public long tokens() {
        return sequences.stream().mapToLong(Integer::longValue).sum();
    }

    /** Bytes of the hidden states of all calibration tokens. */
    public long stateBytes() {
        return FLOAT * tokens() * config.hidden();
    }

    /** Bytes of the files in which hidden states are kept between the blocks: two generations. */
    long keptBytes() {
        return blocks.size() > 1 ? 2 * stateBytes() : 0;
    }

    /** Statistics of one input at least, in bytes. */
    long leastStatistics() {
        return largest(block ->
                BlockInputs.of(block).stream()
                        .mapToLong(input -> BlockInputs.statisticsBytes(input, method.needs()))
                        .max()
                        .orElse(0));
    }

    /** Passes of the largest block over the tokens, where so many bytes of statistics are held at a time. */
    int passes(long statisticsBytes) {
        int groups =
                (int)
                        largest(block ->
                                BlockInputs.groups(block, method.needs(), statisticsBytes).size());
        return sequences.isEmpty() ? 0 : groups + (propagated() ? 1 : 0);
    }

    /**
     * The most memory of the run with Gram matrices in memory.
     *
     * @param onDisk whether the hidden states are in a scratch file
     * @param statisticsBytes statistics that are held at a time, at most
     * @param loading how blocks are loaded
     */
    public MemoryEstimate estimate(boolean onDisk, long statisticsBytes, Block.Loading loading) {
        return estimate(onDisk, false, statisticsBytes, loading);
    }

    /**
     * The most memory of the run.
     *
     * @param onDisk whether the hidden states are in a scratch file
     * @param gramOnDisk whether the Gram matrices are in a scratch file
     * @param statisticsBytes statistics that are held at a time, at most
     * @param loading how blocks are loaded
     */
    MemoryEstimate estimate(
            boolean onDisk, boolean gramOnDisk, long statisticsBytes, Block.Loading loading) {
        return Stream.of(
                        pruning(onDisk, gramOnDisk, statisticsBytes, loading),
                        allocating(onDisk, loading),
                        embedding(onDisk))
                .max(Comparator.comparingLong(MemoryEstimate::total))
                .orElseThrow();
    }

    /** The table, as it is stored, until all tokens are embedded. */
    private MemoryEstimate embedding(boolean onDisk) {
        long table =
                sequences.isEmpty()
                        ? 0
                        : storedBytes * config.vocabulary() * config.switches().embeddingWidth();
        return new MemoryEstimate(RUNTIME, table, 0, onDisk ? 0 : stateBytes(), 0);
    }

    private MemoryEstimate pruning(
            boolean onDisk, boolean gramOnDisk, long most, Block.Loading loading) {
        boolean keepsSolved =
                propagated()
                        && !sequences.isEmpty()
                        && (loading == Block.Loading.ON_DEMAND || passes(most) > 2);
        long perWeight =
                (loading == Block.Loading.WHOLE ? FLOAT : 0) + (keepsSolved ? storedBytes : 0);
        return new MemoryEstimate(
                RUNTIME,
                perWeight * largest(MemoryModel::weights),
                largest(block -> held(block, gramOnDisk, most)),
                onDisk ? 0 : stateBytes(),
                Math.max(
                        forward(loading) + (gramOnDisk ? largestPanel() : 0),
                        solve(gramOnDisk, loading)));
    }

    /** The pass that an allocation asks for, with the scores of a layer or a block, and the statistics of all blocks. */
    private MemoryEstimate allocating(boolean onDisk, Block.Loading loading) {
        if (!method.allocation().readsScores()) {
            return new MemoryEstimate(RUNTIME, 0, 0, 0, 0);
        }
        boolean reads = method.allocationReadsData() && !sequences.isEmpty();
        long block = largest(MemoryModel::weights);
        long matrix = largestMatrix();
        long scores = method.allocation().reads() == Allocation.Reads.BLOCKS ? block : matrix;
        Collection<Statistic> needs = method.allocationScore().needs();
        return new MemoryEstimate(
                RUNTIME,
                FLOAT * (scores + (loading == Block.Loading.WHOLE ? block : 0)),
                reads ? sum(all -> BlockInputs.statisticsBytes(all, needs)) : 0,
                reads && !onDisk ? stateBytes() : 0,
                Math.max(
                        reads ? forward(loading) : 0,
                        matrix * (2 * FLOAT + (loading == Block.Loading.WHOLE ? 0 : FLOAT))));
    }

    /** Statistics at a time. Those of an importance matrix are made for one matrix after the other. */
    private long held(List<Linear> block, boolean gramOnDisk, long most) {
        Set<Statistic> needs = method.needs();
        if (gramOnDisk) {
            needs.remove(Statistic.GRAM);
        }
        return BlockInputs.groups(block, needs, sequences.isEmpty() ? 0 : most).stream()
                .mapToLong(group -> BlockInputs.statisticsBytes(group, needs))
                .max()
                .orElse(0);
    }

    /** Intermediate results of one batch in a block. */
    private long forward(Block.Loading loading) {
        long tokens = 0;
        long longest = 0;
        for (List<long[]> batch :
                HiddenStates.batches(sequences.stream().map(long[]::new).toList())) {
            tokens = Math.max(tokens, (long) batch.size() * batch.getFirst().length);
            longest = Math.max(longest, batch.getFirst().length);
        }
        // On demand, a matrix is there as it is stored and as float32 while it is converted.
        return PassMemory.bytes(config, blocks, tokens, longest)
                + (loading == Block.Loading.ON_DEMAND
                        ? (FLOAT + storedBytes) * largestMatrix()
                        : 0);
    }

    /** What solving the most demanding matrix takes: its scores, or its mask and solution with the workspace or two roundings. */
    private long solve(boolean gramOnDisk, Block.Loading loading) {
        long most = 0;
        for (Linear linear : (Iterable<Linear>) all()::iterator) {
            long size = linear.size();
            long square =
                    gramOnDisk
                            ? BlockInputs.statisticsBytes(
                                    List.of(linear), EnumSet.of(Statistic.GRAM))
                            : 0;
            long solver =
                    method.solver().cost(linear.rows(), linear.columns()).bytes()
                            + (method.solver().factorsInPlace() ? 0 : square);
            long repair =
                    method.repair().appliesTo(linear.kind())
                            ? method.repair().cost(linear.rows(), linear.columns()).bytes() + square
                            : 0;
            long rounding = size * 2 * storedBytes + square;
            long error = 4 * FLOAT * Math.min(ERROR_ROWS, linear.rows()) * linear.columns();
            long solving = size * (1 + FLOAT) + Math.max(rounding, Math.max(solver, repair));
            long scoring = method.score() == null ? 0 : size * (2 * FLOAT + 1);
            long dense = loading == Block.Loading.ON_DEMAND ? FLOAT * size : 0;
            most = Math.max(most, dense + error + Math.max(scoring, solving));
        }
        return most;
    }

    /** Whether the method reads Gram matrices at all. */
    boolean readsGram() {
        return method.needs().contains(Statistic.GRAM) && !sequences.isEmpty();
    }

    /** Bytes of the Gram matrices of a block in a scratch file. */
    long gramBytes() {
        return largest(BlockInputs::scratchBytes);
    }

    private long largestPanel() {
        return all().mapToLong(linear -> BlockInputs.panelBytes(linear.columns())).max().orElse(0);
    }

    /** Whether each block is measured on what the pruned blocks before it give out. */
    boolean propagated() {
        return method.recipe().inputs() == Recipe.Inputs.PROPAGATED;
    }

    private Stream<Linear> all() {
        return blocks.stream().flatMap(List::stream);
    }

    private long largestMatrix() {
        return all().mapToLong(Linear::size).max().orElse(0);
    }

    private long largest(ToLongFunction<List<Linear>> figure) {
        return blocks.stream().mapToLong(figure).max().orElse(0);
    }

    private long sum(ToLongFunction<List<Linear>> figure) {
        return blocks.stream().mapToLong(figure).sum();
    }

    private static long weights(List<Linear> block) {
        return block.stream().mapToLong(Linear::size).sum();
    }
}
