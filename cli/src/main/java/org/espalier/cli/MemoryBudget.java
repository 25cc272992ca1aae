package org.espalier.cli;

import java.util.List;
import java.util.stream.IntStream;
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
    /** Logits of a batch at most (see {@link org.espalier.audit.language.Evaluation}). */
    private static final long BATCH_LOGITS = 1 << 25;

    /** Matrices of that size at a time: log-probabilities of both models, and what is made of them. */
    private static final int LOGIT_COPIES = 6;

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
     * Refuses to measure where the head and its logits do not fit.
     *
     * @param tokens of all windows
     */
    void requireMeasuring(DecoderConfig config, List<Linear> linears, long tokens) {
        long needed = measuring(config, linears, tokens);
        if (given && needed > limit) {
            throw new UserError(
                    "measuring the models on a text takes "
                            + MemorySize.words(needed)
                            + " of memory but --memory is "
                            + MemorySize.words(limit)
                            + "; give that much or leave --text out");
        }
    }

    /** What reading text with a model takes: its head, one block and the logits of a batch. */
    static long measuring(DecoderConfig config, List<Linear> linears, long tokens) {
        long block =
                IntStream.range(0, config.blocks())
                        .mapToLong(index ->
                                linears.stream()
                                        .filter(linear -> linear.block() == index)
                                        .mapToLong(Linear::size)
                                        .sum())
                        .max()
                        .orElse(0);
        return MemoryModel.RUNTIME
                + LOGIT_COPIES * Float.BYTES * Math.min(BATCH_LOGITS, tokens * config.vocabulary())
                + Float.BYTES * Math.max(block, config.vocabulary() * config.hidden());
    }

    /** Whether a generator fits, which holds the whole model as float32. */
    boolean allowsGenerator(DecoderConfig config, List<Linear> linears, Progress progress) {
        long weights =
                linears.stream().mapToLong(Linear::size).sum()
                        + config.vocabulary() * config.hidden();
        long needed = MemoryModel.RUNTIME + Float.BYTES * weights;
        if (needed <= limit) {
            return true;
        }
        progress.note(
                "no text samples: continuing a text holds the whole model as float32, which takes "
                        + MemorySize.words(needed));
        return false;
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
