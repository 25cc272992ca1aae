package org.espalier.prune.repair;

import java.util.Optional;
import java.util.Set;
import org.espalier.core.pattern.Pattern;
import org.espalier.core.recipe.Parameters;
import org.espalier.prune.calibrate.Statistic;
import org.espalier.prune.layer.LayerProblem;
import org.espalier.prune.layer.LayerSolution;

/** Leaves the solver's work as it is. */
public record NoRepair() implements Repair {
    /** Takes no parameters. */
    public static NoRepair from(Parameters parameters) {
        return new NoRepair();
    }

    @Override
    public Set<Statistic> needs() {
        return Set.of();
    }

    @Override
    public boolean changesBias() {
        return false;
    }

    @Override
    public Optional<String> refusal(Pattern pattern) {
        return Optional.empty();
    }

    @Override
    public LayerSolution repair(LayerProblem problem, LayerSolution solution) {
        return solution;
    }
}
