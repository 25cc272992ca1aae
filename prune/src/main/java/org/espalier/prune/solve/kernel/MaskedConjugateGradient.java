package org.espalier.prune.solve.kernel;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * Conjugate gradients for all rows of a layer at once, each on its own support (ALPS, arXiv 2406.07831, section 3.2;
 * card alps, step 6): min ||V - W||_G over V with the given support, where the residual is masked after every step. The
 * preconditioner is the diagonal, so callers scale G to diagonal 1 and the code here needs none.
 */
public final class MaskedConjugateGradient {
    private MaskedConjugateGradient() {}

    /**
     * Improves the rows.
     *
     * @param gram G, float32 [in_features, in_features], symmetric positive definite
     * @param target W G, float32 [out_features, in_features]
     * @param start where to start, float32 [out_features, in_features], zero outside the supports
     * @param keep the supports, bool [out_features, in_features]
     * @param iterations at most so many steps
     * @param tolerance stop when every row's masked residual is below this fraction of its target
     * @return a new tensor, zero outside the supports
     */
    public static Tensor refine(
            Tensor gram,
            Tensor target,
            Tensor start,
            Tensor keep,
            int iterations,
            double tolerance) {
        Tensor solution = start.clone();
        try (PointerScope scope = new PointerScope()) {
            Tensor support = keep.to(start.dtype(), false, false);
            Tensor residual = target.sub(solution.matmul(gram)).mul_(support);
            Tensor direction = residual.clone();
            Tensor size = squaredNorms(residual);
            Tensor enough = squaredNorms(target).mul_(new Scalar(tolerance * tolerance));
            for (int step = 0; step < iterations && above(size, enough); step++) {
                size = step(gram, support, solution, residual, direction, size);
            }
        }
        return solution;
    }

    private static Tensor step(
            Tensor gram,
            Tensor support,
            Tensor solution,
            Tensor residual,
            Tensor direction,
            Tensor size) {
        return org.espalier.core.tensor.Tensors.scoped(() -> {
            Tensor image = direction.matmul(gram).mul_(support);
            Tensor length = ratio(size, rowSums(direction.mul(image)));
            solution.addcmul_(length, direction);
            residual.addcmul_(length.neg(), image);
            Tensor newSize = squaredNorms(residual);
            direction.mul_(ratio(newSize, size)).add_(residual);
            return newSize;
        });
    }

    private static boolean above(Tensor size, Tensor enough) {
        try (PointerScope scope = new PointerScope()) {
            return size.gt(enough).any().item_bool();
        }
    }

    /** A row that has nothing left to do divides 0 by 0 and stays where it is. */
    private static Tensor ratio(Tensor above, Tensor below) {
        return above.div(below)
                .nan_to_num_(
                        new org.bytedeco.pytorch.DoubleOptional(0.0),
                        new org.bytedeco.pytorch.DoubleOptional(0.0),
                        new org.bytedeco.pytorch.DoubleOptional(0.0));
    }

    private static Tensor squaredNorms(Tensor matrix) {
        return rowSums(matrix.square());
    }

    /** [rows, 1]. */
    private static Tensor rowSums(Tensor matrix) {
        return matrix.sum(new long[] {1}, true, new org.bytedeco.pytorch.ScalarTypeOptional());
    }
}
