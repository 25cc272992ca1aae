package org.espalier.prune.memory;

import java.util.List;
import org.espalier.network.Block;
import org.espalier.network.Linear;
import org.espalier.network.Mixture;
import org.espalier.prune.calibrate.BlockInputs;
import org.espalier.prune.calibrate.HiddenStates;
import org.espalier.prune.calibrate.Statistic;

/**
 * How much work a pruning is: arithmetic in matrix products, attention and factorizations, and memory that is gone over
 * in between, without what is done weight by weight. Pure.
 */
public final class Effort {
    /** How often an intermediate result is gone over: written once, read by one or two others. */
    private static final int TOUCHES = 3;

    private Effort() {}

    /**
     * Floating-point operations, a multiplication and an addition counted as two.
     *
     * @param plan tells how often each block is run
     */
    public static double operations(MemoryModel model, MemoryPlan plan) {
        int passes = passes(model, plan);
        double sum = passes * model.blocks().size() * attention(model);
        for (List<Linear> block : model.blocks()) {
            for (List<Linear> readers : BlockInputs.of(block)) {
                double tokens = tokens(model, readers.getFirst());
                long columns = readers.getFirst().columns();
                if (model.method().needs().contains(Statistic.GRAM)) {
                    sum += 2.0 * columns * columns * tokens;
                }
                for (Linear linear : readers) {
                    sum += 2.0 * linear.size() * tokens * passes + solving(model, linear);
                }
            }
        }
        return sum;
    }

    /**
     * Bytes that are read and written in memory: intermediate results of the passes, hidden states in a scratch file,
     * and weights that are converted.
     *
     * @param plan tells how often each block is run, and how it is loaded
     */
    public static double traffic(MemoryModel model, MemoryPlan plan) {
        int passes = passes(model, plan);
        double pass =
                (double) TOUCHES
                        * PassMemory.bytes(model.config(), model.blocks(), model.tokens(), 1);
        double states = plan.statesOnDisk() ? 2.0 * model.stateBytes() : 0;
        double batches = Math.ceil(model.tokens() / (double) HiddenStates.BATCH_TOKENS) * passes;
        double loads = plan.loading() == Block.Loading.WHOLE ? passes : Math.max(1, batches);
        double converted = (double) (Float.BYTES + model.storedBytes()) * Math.max(1, loads);
        double sum = 0;
        for (List<Linear> block : model.blocks()) {
            double weights = block.stream().mapToLong(Linear::size).sum();
            sum += passes * (pass + states) + converted * weights;
        }
        return sum;
    }

    private static int passes(MemoryModel model, MemoryPlan plan) {
        boolean measures = model.method().allocationReadsData() && model.tokens() > 0;
        return plan.passes() + (measures ? 1 : 0);
    }

    /** Queries with keys and probabilities with values, each token with those before it. */
    private static double attention(MemoryModel model) {
        double pairs =
                model.sequences().stream().mapToDouble(tokens -> 0.5 * tokens * tokens).sum();
        return 4.0 * pairs * model.config().heads() * model.config().headDim();
    }

    private static double solving(MemoryModel model, Linear linear) {
        double solver = model.method().solver().cost(linear.rows(), linear.columns()).operations();
        return model.method().repair().appliesTo(linear.kind())
                ? solver
                        + model.method().repair().cost(linear.rows(), linear.columns()).operations()
                : solver;
    }

    /** Tokens that reach a matrix: all of them, or an expert's share if they are spread evenly. */
    private static double tokens(MemoryModel model, Linear linear) {
        Mixture mixture = model.config().mixture();
        return mixture != null && linear.name().contains("experts.")
                ? (double) model.tokens() * mixture.active() / mixture.count()
                : model.tokens();
    }
}
