package org.espalier.prune.solve;

import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.pattern.Group;
import org.espalier.core.pattern.Pattern;
import org.espalier.core.recipe.Parameters;
import org.espalier.core.tensor.Tensors;
import org.espalier.prune.calibrate.Statistic;
import org.espalier.prune.layer.LayerCost;
import org.espalier.prune.layer.LayerProblem;
import org.espalier.prune.layer.LayerSolution;
import org.espalier.prune.select.Mask;
import org.espalier.prune.solve.kernel.MaskedConjugateGradient;

/**
 * ALPS: the alternating direction method of multipliers on the exact problem with a count of nonzeros, then conjugate
 * gradients on the support that it found (Meng, Behdin, Wang and Mazumder, NeurIPS 2024, arXiv 2406.07831, algorithms 1
 * and 2; card alps). A support chosen beforehand goes straight to the conjugate gradients.
 *
 * <p>Two differences from the official code. (G + rho I)^-1 comes from a Cholesky factorization in float64
 * per value of rho, where the official code multiplies the two sides of an eigendecomposition per value of rho. The
 * multiplication alone costs more, and the eigendecomposition comes on top. And the method of multipliers does not
 * descend: where it ends worse than the support that it began with (largest scaled weights), that support is taken, which
 * makes "no worse than magnitude" true always and not mostly (without correlations the official schedule of rho misses
 * the obvious optimum by a few weights).
 *
 * @param rho first penalty between the weight and its sparse copy
 * @param damping fraction of the mean diagonal of the Gram matrix that is added to its diagonal
 * @param iterations at most so many steps of the method of multipliers
 * @param switching after so many steps a support that hardly changes ends it
 * @param refinements steps of conjugate gradients
 */
public record Alps(double rho, double damping, int iterations, int switching, int refinements)
        implements LayerSolver {
    private static final double CG_TOLERANCE = 1e-4;

    public Alps {
        if (!(rho > 0) || !(damping > 0) || iterations < 1 || switching < 0 || refinements < 0) {
            throw new IllegalArgumentException(
                    "rho, damping and iterations must be positive but are "
                            + rho
                            + ", "
                            + damping
                            + " and "
                            + iterations);
        }
    }

    /** The official defaults. */
    public static Alps standard() {
        return new Alps(0.1, 0.01, 300, 30, 10);
    }

    /** Reads {@code rho}, {@code damping}, {@code iterations}, {@code switching} and {@code refinements}. */
    public static Alps from(Parameters parameters) {
        Alps standard = standard();
        return new Alps(
                parameters.number("rho", standard.rho, 1e-6, 1e6),
                parameters.number("damping", standard.damping, 1e-6, 1),
                parameters.integer("iterations", standard.iterations, 1, 100_000),
                parameters.integer("switching", standard.switching, 0, 100_000),
                parameters.integer("refinements", standard.refinements, 0, 100_000));
    }

    @Override
    public Set<Statistic> needs() {
        return EnumSet.of(Statistic.GRAM);
    }

    @Override
    public Optional<String> refusal(Pattern pattern) {
        return pattern instanceof Pattern.Unstructured(Group.Global _)
                        || pattern instanceof Pattern.Tiles(int _, int _, Group.Global _)
                ? Optional.of("it sees one layer at a time and cannot compare weights of several")
                : Optional.empty();
    }

    /**
     * Five Gram matrices, three of them in float64, and seventeen matrices of the layer's size, as was measured with 2048 x
     * 1024 and 512 x 2048; per step of the method of multipliers a product with the inverse, every few steps an inversion,
     * and the products of the conjugate gradients.
     */
    @Override
    public LayerCost cost(long rows, long columns) {
        long square = columns * columns;
        double products = iterations + 2.0 * refinements + 6;
        return new LayerCost(
                (3L * Double.BYTES + 2L * Float.BYTES) * square
                        + 17L * Float.BYTES * rows * columns,
                2.0 * square * rows * products + 2.0 * square * columns * (iterations / 10.0 + 1));
    }

    @Override
    public LayerSolution solve(LayerProblem problem) {
        Tensor dense = problem.weight();
        Tensor weight = dense.contiguous().clone();
        Mask mask = new Mask(torch.ones(Tensors.shape(dense), Tensors.options(ScalarType.Bool)));
        try (PointerScope scope = new PointerScope()) {
            ScaledLayer layer = ScaledLayer.of(dense, problem.statistics().gramMatrix(), damping);
            if (problem.support() == null) {
                requirePossible(problem);
                weight.copy_(chosen(layer, problem, mask));
            } else {
                mask.keep().copy_(problem.support().keep());
                weight.copy_(refined(layer, layer.weight(), mask));
            }
            weight.copy_(mask.removed() == 0 ? dense : mask.apply(layer.unscaled(weight)));
        }
        return new LayerSolution(weight, problem.bias(), mask);
    }

    /** Chooses a support and fills in the mask; returns scaled weights. */
    private Tensor chosen(ScaledLayer layer, LayerProblem problem, Mask mask) {
        Pattern pattern = problem.pattern();
        double sparsity = problem.sparsity();
        Tensor dense = layer.weight();
        Mask first = new Mask(Admm.keep(dense, pattern, sparsity));
        Tensor plain = refined(layer, dense, first);
        if (first.removed() == 0) {
            mask.keep().copy_(first.keep());
            return plain;
        }
        Tensor free = new Admm(this, layer, pattern, sparsity).run(first);
        Mask found = new Mask(Admm.keep(free, pattern, sparsity));
        Tensor solved = refined(layer, free, found);
        boolean better = layer.error(solved) <= layer.error(plain);
        mask.keep().copy_(better ? found.keep() : first.keep());
        return better ? solved : plain;
    }

    private Tensor refined(ScaledLayer layer, Tensor start, Mask mask) {
        return MaskedConjugateGradient.refine(
                layer.gram(),
                layer.target(),
                mask.apply(start),
                mask.keep(),
                refinements,
                CG_TOLERANCE);
    }

    private void requirePossible(LayerProblem problem) {
        refusal(problem.pattern())
                .ifPresent(reason -> {
                    throw new IllegalArgumentException("alps cannot choose a support: " + reason);
                });
    }
}
