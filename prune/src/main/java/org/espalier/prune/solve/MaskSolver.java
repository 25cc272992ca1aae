package org.espalier.prune.solve;

import java.util.Optional;
import java.util.Set;
import org.espalier.core.pattern.Pattern;
import org.espalier.core.recipe.Parameters;
import org.espalier.prune.calibrate.Statistic;
import org.espalier.prune.layer.LayerProblem;
import org.espalier.prune.layer.LayerSolution;
import org.espalier.prune.select.Mask;

/** The default solver: keeps the weights that the score has chosen and sets the others to zero. */
public final class MaskSolver implements LayerSolver {
    /** Takes no parameters. */
    public static MaskSolver from(Parameters parameters) {
        return new MaskSolver();
    }

    @Override
    public Set<Statistic> needs() {
        return Set.of();
    }

    @Override
    public Optional<String> refusal(Pattern pattern) {
        return Optional.of(
                "the solver 'mask' removes what a score has chosen, and the recipe names no score");
    }

    @Override
    public LayerSolution solve(LayerProblem problem) {
        Mask support = problem.support();
        if (support == null) {
            throw new IllegalArgumentException("the mask solver needs a support");
        }
        return new LayerSolution(support.apply(problem.weight()), problem.bias(), support);
    }
}
