package org.espalier.prune;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.LongArrayRefOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.espalier.core.tensor.Tensors;
import org.espalier.prune.layer.LayerProblem;
import org.espalier.prune.layer.LayerSolution;
import org.jspecify.annotations.Nullable;

/**
 * A layer whose weights are brought near 1 by a power of two, so that their squares fit float32. Solvers and repairs on a
 * Gram matrix are linear in the weights, so the solution is that of the layer itself, scaled. Weights of ordinary size
 * are left alone.
 *
 * @param original the layer as it is
 * @param problem the layer to be solved
 * @param exponent of the power of two that its weights were divided by
 */
record Rescaled(LayerProblem original, LayerProblem problem, int exponent) {
    /** Largest weights within 2^-40 and 2^40 (1e-12 and 1e12) have squares with room to spare. */
    private static final int ORDINARY = 40;

    /** Rescales a layer where it must be; tensors belong to the innermost scope of the caller. */
    static Rescaled of(LayerProblem problem) {
        double largest = largest(problem.weight());
        int exponent = largest == 0 ? 0 : Math.getExponent(largest);
        if (Math.abs(exponent) <= ORDINARY) {
            return new Rescaled(problem, problem, 0);
        }
        Tensor bias = problem.bias();
        LayerProblem rescaled =
                new LayerProblem(
                        scaled(problem.weight(), -exponent),
                        bias == null ? null : scaled(bias, -exponent),
                        problem.statistics(),
                        problem.pattern(),
                        problem.sparsity(),
                        problem.support());
        return new Rescaled(problem, rescaled, exponent);
    }

    /** The solution in the layer's own size. Weights that were not changed are those of the layer to the bit. */
    LayerSolution restored(LayerSolution solution) {
        if (exponent == 0) {
            return solution;
        }
        Tensor weight =
                Tensors.scoped(() -> {
                    Tensor untouched = solution.weight().eq(problem.weight());
                    Tensor kept = untouched.logical_and(solution.mask().keep());
                    return original.weight()
                            .where(kept, scaled(solution.weight(), exponent))
                            .contiguous();
                });
        return new LayerSolution(weight, bias(solution.bias()), solution.mask());
    }

    private @Nullable Tensor bias(@Nullable Tensor solved) {
        Tensor given = problem.bias();
        return solved == null || (given != null && solved.equal(given))
                ? original.bias()
                : scaled(solved, exponent);
    }

    private static double largest(Tensor weight) {
        try (PointerScope scope = new PointerScope()) {
            Tensor largest =
                    torch.linalg_vector_norm(
                            weight,
                            new Scalar(Double.POSITIVE_INFINITY),
                            new LongArrayRefOptional(),
                            false,
                            new ScalarTypeOptional());
            return largest.item_double();
        }
    }

    /** tensor * 2^exponent in two steps, because float32 has no number for the whole of the largest powers. */
    private static Tensor scaled(Tensor tensor, int exponent) {
        int half = exponent / 2;
        return Tensors.scoped(() ->
                tensor.mul(new Scalar(Math.scalb(1.0, half)))
                        .mul(new Scalar(Math.scalb(1.0, exponent - half))));
    }
}
