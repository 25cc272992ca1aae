package org.espalier.prune.repair;

import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import org.espalier.core.pattern.Pattern;
import org.espalier.core.recipe.Parameters;
import org.espalier.core.tensor.Torch;
import org.espalier.prune.calibrate.Statistic;
import org.espalier.prune.layer.LayerCost;
import org.espalier.prune.layer.LayerProblem;
import org.espalier.prune.layer.LayerSolution;
import org.espalier.prune.solve.kernel.MaskedLeastSquares;

/**
 * The exact least-squares refit of the survivors: of all weights on the mask those whose output is nearest to the dense
 * layer's on the calibration tokens. It is the lower end of the sandwich in which every other repair lies, and the
 * joint form of the optimal brain surgeon (cards sparsegpt and alps; {@link MaskedLeastSquares} tells what it costs).
 *
 * @param damping fraction of the mean diagonal of the Gram matrix that is added to its diagonal; 0 adds something only
 *     where the tokens do not determine the survivors
 */
public record LeastSquares(double damping) implements Repair {
    public LeastSquares {
        if (!(damping >= 0 && damping <= 1)) {
            throw new IllegalArgumentException("damping must be in [0, 1] but is " + damping);
        }
    }

    /** Reads {@code damping}. */
    public static LeastSquares from(Parameters parameters) {
        return new LeastSquares(parameters.number("damping", 0, 0, 1));
    }

    @Override
    public Set<Statistic> needs() {
        return EnumSet.of(Statistic.GRAM);
    }

    @Override
    public boolean changesBias() {
        return false;
    }

    @Override
    public Optional<String> refusal(Pattern pattern) {
        return Optional.empty();
    }

    /** What {@link MaskedLeastSquares} takes; a factorization per row. */
    @Override
    public LayerCost cost(long rows, long columns) {
        double square = (double) columns * columns;
        return new LayerCost(
                MaskedLeastSquares.bytes(rows, columns, Torch.threads()),
                2.0 * square * rows + rows * square * (columns / 3.0));
    }

    @Override
    public LayerSolution repair(LayerProblem problem, LayerSolution solution) {
        return new LayerSolution(
                MaskedLeastSquares.refit(
                        problem.statistics().gramMatrix(),
                        problem.weight(),
                        solution.mask().keep(),
                        damping),
                solution.bias(),
                solution.mask());
    }
}
