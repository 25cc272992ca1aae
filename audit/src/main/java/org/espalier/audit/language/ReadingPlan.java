package org.espalier.audit.language;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.espalier.network.Block;
import org.espalier.prune.calibrate.Thrift;
import org.espalier.prune.memory.MemoryEstimate;

/**
 * How the reading of a text is going to spare memory, and what it then takes.
 *
 * @param statesOnDisk whether the hidden states are in a scratch file
 * @param loading how blocks and heads are loaded
 * @param estimate the most memory that the reading takes
 */
public record ReadingPlan(boolean statesOnDisk, Block.Loading loading, MemoryEstimate estimate) {
    /** The quickest way that stays within a limit; empty where none does. */
    public static Optional<ReadingPlan> within(ReadingMemory memory, long limit) {
        return ways(memory).filter(plan -> plan.estimate().total() <= limit).findFirst();
    }

    /** The way that takes least memory, the quickest of several. */
    public static ReadingPlan least(ReadingMemory memory) {
        return ways(memory)
                .min(Comparator.comparingLong(plan -> plan.estimate().total()))
                .orElseThrow();
    }

    /** From the quickest to the slowest. */
    private static Stream<ReadingPlan> ways(ReadingMemory memory) {
        return Stream.of(Block.Loading.WHOLE, Block.Loading.ON_DEMAND)
                .flatMap(loading ->
                        Stream.of(false, true)
                                .map(onDisk ->
                                        new ReadingPlan(
                                                onDisk,
                                                loading,
                                                memory.estimate(onDisk, loading))));
    }

    /**
     * For the models.
     *
     * @param scratch where the scratch file goes, if there is one; each model needs one of its own
     */
    public Thrift thrift(Path scratch) {
        return new Thrift(statesOnDisk ? scratch : null, Long.MAX_VALUE, null, loading);
    }

    /** What is done to spare memory, in clauses; empty where nothing is. */
    public List<String> measures() {
        List<String> measures = new ArrayList<>();
        if (statesOnDisk) {
            measures.add("hidden states in a scratch file");
        }
        if (loading == Block.Loading.ON_DEMAND) {
            measures.add("matrices converted one at a time");
        }
        return List.copyOf(measures);
    }
}
