package org.espalier.prune.solve;

import java.util.Optional;
import java.util.Set;
import org.espalier.core.pattern.Pattern;
import org.espalier.prune.calibrate.Statistic;
import org.espalier.prune.layer.LayerCost;
import org.espalier.prune.layer.LayerProblem;
import org.espalier.prune.layer.LayerSolution;

/** Prunes one matrix. Implementations are pure and may be called from several threads at once. */
public interface LayerSolver {
    /** The statistics that {@link #solve} reads. */
    Set<Statistic> needs();

    /** Why this solver cannot choose a support of this pattern by itself, in one clause; empty if it can. */
    Optional<String> refusal(Pattern pattern);

    /** What solving a layer of this size takes, beside the dense matrix, the statistics and the solution. */
    default LayerCost cost(long rows, long columns) {
        return LayerCost.NONE;
    }

    /** Whether it factors a Gram matrix from a scratch file where it was read to, so that no second one is in memory. */
    default boolean factorsInPlace() {
        return false;
    }

    /** Solves one layer. All tensors of the result belong to the innermost open scope of the caller. */
    LayerSolution solve(LayerProblem problem);
}
