package org.espalier.cli;

import java.util.List;
import java.util.stream.IntStream;
import org.espalier.audit.language.ReadingMemory;
import org.espalier.audit.language.ReadingPlan;
import org.espalier.core.UserError;
import org.espalier.core.progress.Progress;
import org.espalier.network.Decoder;
import org.espalier.network.DecoderConfig;
import org.espalier.network.Linear;
import org.espalier.prune.Method;
import org.espalier.prune.memory.MemoryEstimate;
import org.espalier.prune.memory.MemoryModel;
import org.espalier.prune.memory.MemoryPlan;
import org.espalier.prune.memory.MemoryPlanner;
import org.jspecify.annotations.Nullable;

/**
 * The memory that a command may take.
 *
 * @param limit bytes; where nobody gave a limit, nine tenths of the machine's
 * @param given whether somebody did: only then is refused what does not fit
 */
record MemoryBudget(long limit, boolean given) {
    /**
     * The budget of a command line.
     *
     * @param text what {@code --memory} says, or null
     */
    static MemoryBudget of(@Nullable String text) {
        return text == null
                ? new MemoryBudget(MemorySize.ofMachine() / 10 * 9, false)
                : new MemoryBudget(MemorySize.parse(text), true);
    }

    /** What the planner knows of a run. */
    static MemoryModel model(
            Method method, Decoder decoder, List<Integer> sequences, int storedBytes) {
        return new MemoryModel(
                method,
                decoder.config(),
                IntStream.range(0, decoder.blocks()).mapToObj(decoder::linears).toList(),
                method.readsData() ? sequences : List.of(),
                storedBytes);
    }

    /**
     * How to prune within the budget.
     *
     * @throws UserError where a limit was given and nothing fits, with the figure that would
     */
    MemoryPlan plan(MemoryModel model) {
        return MemoryPlanner.within(model, limit)
                .orElseGet(() -> {
                    MemoryPlan least = MemoryPlanner.least(model);
                    if (given) {
                        throw new UserError(refusal(model, least.estimate()));
                    }
                    return least;
                });
    }

    /**
     * How to read a text within the budget.
     *
     * @param remedy what else the user can do where nothing fits, a clause
     * @throws UserError where a limit was given and nothing fits, with the figure that would
     */
    ReadingPlan plan(ReadingMemory memory, String remedy) {
        return ReadingPlan.within(memory, limit)
                .orElseGet(() -> {
                    ReadingPlan least = ReadingPlan.least(memory);
                    if (given) {
                        throw new UserError(
                                "--memory "
                                        + MemorySize.words(limit)
                                        + " is too little for measuring on this text; "
                                        + MemorySize.words(least.estimate().total())
                                        + " would do: "
                                        + terms(least.estimate())
                                        + "; give that much, or "
                                        + remedy);
                    }
                    return least;
                });
    }

    /** Whether a generator fits, which holds the whole model as float32. */
    boolean allowsGenerator(DecoderConfig config, List<Linear> linears, Progress progress) {
        long needed = generator(config, linears, 0);
        if (needed <= limit) {
            return true;
        }
        progress.note(
                "no text samples: continuing a text holds the whole model as float32, which takes "
                        + MemorySize.words(needed));
        return false;
    }

    /**
     * Asks before the first block is loaded whether a text can be continued.
     *
     * @param tokens of the prompt and of what may be added
     * @throws UserError if not, with the figure that would do; also where nobody gave a limit, for then the machine's
     *     memory would end the process
     */
    void requireGenerator(Decoder decoder, long tokens) {
        List<Linear> linears =
                IntStream.range(0, decoder.blocks())
                        .mapToObj(decoder::linears)
                        .flatMap(List::stream)
                        .toList();
        long needed = generator(decoder.config(), linears, tokens);
        if (needed > limit) {
            throw new UserError(
                    "continuing a text holds the whole model as float32 and takes "
                            + MemorySize.words(needed)
                            + (given
                                    ? ", more than --memory " + MemorySize.words(limit)
                                    : ", more than the "
                                            + MemorySize.words(limit)
                                            + " that this machine has to give")
                            + "; evaluate reads a model of any size block by block, and export --to gguf makes a"
                            + " file that llama.cpp continues quantized");
        }
    }

    /** Bytes of the weights as float32 and of the keys and values, whose room grows by doubling. */
    private static long generator(DecoderConfig config, List<Linear> linears, long tokens) {
        long embedding = config.vocabulary() * config.hidden() * (config.tied() ? 1 : 2);
        long weights = linears.stream().mapToLong(Linear::size).sum() + embedding;
        long entry = 2 * config.kvHeads() * config.headDim();
        return MemoryModel.RUNTIME + Float.BYTES * (weights + 2 * tokens * config.blocks() * entry);
    }

    private String refusal(MemoryModel model, MemoryEstimate least) {
        return "--memory "
                + MemorySize.words(limit)
                + " is too little for this model and recipe; "
                + MemorySize.words(least.total())
                + " would do: "
                + terms(least)
                + "; give that much"
                + (model.tokens() > 0 ? ", or shorter calibration sequences" : "");
    }

    /** The terms of an estimate in one line. */
    static String terms(MemoryEstimate estimate) {
        return "runtime "
                + MemorySize.words(estimate.runtime())
                + ", block "
                + MemorySize.words(estimate.block())
                + ", statistics "
                + MemorySize.words(estimate.statistics())
                + ", hidden states "
                + MemorySize.words(estimate.states())
                + ", work "
                + MemorySize.words(estimate.work());
    }
}
