package org.espalier.prune.memory;

import java.util.List;
import org.espalier.network.Linear;
import org.espalier.network.Mixture;
import org.espalier.prune.calibrate.BlockInputs;
import org.espalier.prune.calibrate.Statistic;

/** How much arithmetic a pruning is: matrix products and factorizations, without what is done weight by weight. Pure. */
public final class Effort {
    private Effort() {}

    /**
     * Floating-point operations, a multiplication and an addition counted as two.
     *
     * @param plan tells how often each block is run
     */
    public static double operations(MemoryModel model, MemoryPlan plan) {
        int passes = plan.passes() + (model.method().allocationReadsData() ? 1 : 0);
        double sum = 0;
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
