package org.espalier.prune.repair;

import java.util.Optional;
import java.util.Set;
import org.espalier.core.pattern.Pattern;
import org.espalier.prune.calibrate.Statistic;
import org.espalier.prune.layer.LayerCost;
import org.espalier.prune.layer.LayerProblem;
import org.espalier.prune.layer.LayerSolution;

/** Improves a pruned matrix on an explicit mask. Implementations are pure. */
public interface Repair {
    /** The statistics that {@link #repair} reads. */
    Set<Statistic> needs();

    /** Whether the repair changes the bias, and so needs a place to store it. */
    boolean changesBias();

    /** Why this repair makes no sense with the pattern, in one clause; empty if it does. */
    Optional<String> refusal(Pattern pattern);

    /** Whether the repair touches layers of this kind ({@code q, k, v, qkv, o, gate, up, down}) at all. */
    default boolean appliesTo(String kind) {
        return true;
    }

    /** What repairing a layer of this size takes, beside the dense matrix, the statistics and the solution. */
    default LayerCost cost(long rows, long columns) {
        return LayerCost.NONE;
    }

    /**
     * Repairs one layer.
     *
     * @param problem the dense layer
     * @param solution what the solver made of it; a repair may swap entries of its mask but keeps the count of every
     *     comparison group
     */
    LayerSolution repair(LayerProblem problem, LayerSolution solution);
}
