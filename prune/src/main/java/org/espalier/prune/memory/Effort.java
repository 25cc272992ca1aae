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
        double sum = 0;
        for (int index = 0; index < model.blocks().size(); index++) {
            int passes = passes(model, plan, index);
            sum += passes * attention(model);
            for (List<Linear> readers : BlockInputs.of(model.blocks().get(index))) {
                double tokens = tokens(model, readers.getFirst());
                double columns = readers.getFirst().columns();
                if (model.method().needs().contains(Statistic.GRAM)) {
                    // Symmetric: half of it is made.
                    sum += columns * columns * tokens;
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
        double pass =
                (double) TOUCHES
                        * PassMemory.bytes(model.config(), model.blocks(), model.tokens(), 1);
        double states = plan.statesOnDisk() ? 2.0 * model.stateBytes() : 0;
        double batches = Math.ceil(model.tokens() / (double) HiddenStates.BATCH_TOKENS);
        double sum = 0;
        for (int index = 0; index < model.blocks().size(); index++) {
            List<Linear> block = model.blocks().get(index);
            int passes = passes(model, plan, index);
            double loads = plan.loading() == Block.Loading.WHOLE ? passes : batches * passes;
            double converted = (double) (Float.BYTES + model.storedBytes()) * Math.max(1, loads);
            double weights = block.stream().mapToLong(Linear::size).sum();
            sum += passes * (pass + states) + converted * weights + gathering(model, block);
        }
        return sum;
    }

    /** What gathering the statistics goes over; the largest magnitudes beside a Gram matrix are one look at the input. */
    private static double gathering(MemoryModel model, List<Linear> block) {
        double looks = 0;
        for (Statistic statistic : model.method().needs()) {
            looks += statistic == Statistic.GRAM ? 1 : TOUCHES;
        }
        double sum = 0;
        for (List<Linear> readers : BlockInputs.of(block)) {
            Linear reader = readers.getFirst();
            sum += looks * Float.BYTES * reader.columns() * tokens(model, reader);
        }
        return sum;
    }

    /** How often a block is run over the tokens. Nothing waits for what leaves the last one. */
    private static int passes(MemoryModel model, MemoryPlan plan, int block) {
        if (model.tokens() == 0) {
            return 0;
        }
        boolean measures = model.method().allocationReadsData();
        boolean last = block == model.blocks().size() - 1;
        return plan.passes() + (measures ? 1 : 0) - (last && model.propagated() ? 1 : 0);
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
