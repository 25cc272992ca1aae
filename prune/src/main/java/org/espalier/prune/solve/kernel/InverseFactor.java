package org.espalier.prune.solve.kernel;

import static org.bytedeco.openblas.global.openblas.LAPACKE_spotrf;
import static org.bytedeco.openblas.global.openblas.LAPACKE_strtri;
import static org.bytedeco.openblas.global.openblas.LAPACK_COL_MAJOR;

import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.tensor.Tensors;

/**
 * The factor of the inverse Hessian on which SparseGPT sweeps: U upper triangular with (H + damping)^-1 = U^T U, where
 * H = 2/n X^T X over n sequences (SparseGPT, arXiv 2301.00774, section 3.3; card sparsegpt, steps 1 to 3).
 *
 * <p>The official code takes three factorizations: Cholesky of H, its inverse, Cholesky of that. One is enough. With J
 * the reversal of all indices, J H J = L L^T gives H = (J L J)(J L J)^T, whose first factor is upper triangular; so
 * U = (J L J)^-1 = J L^-1 J: one Cholesky and one triangular inversion, of a better conditioned matrix than H^-1.
 *
 * @param upper U, float32 [in_features, in_features], zero below the diagonal
 * @param dead bool [in_features], the input features that no token ever used: diagonal 0, which became 1
 * @param damping the damping that succeeded, as a fraction of the mean diagonal
 */
public record InverseFactor(Tensor upper, Tensor dead, double damping) {
    private static final double FIRST_RETRY = 0.01;
    private static final double LAST_RETRY = 1;

    /**
     * Factors one Gram matrix. Where rounding makes it indefinite, the damping grows tenfold up to 1.
     *
     * @param gram X^T X, float32 [in_features, in_features], undamped
     * @param sequences n, the number of sequences in it
     * @param damping fraction of the mean diagonal that is added to the diagonal, at least 0
     * @return the factor, owned by the innermost open scope of the caller
     * @throws ArithmeticException if no damping up to 1 makes the matrix positive definite
     */
    public static InverseFactor of(Tensor gram, long sequences, double damping) {
        double scale = 2.0 / Math.max(1, sequences);
        double[] diagonal = Tensors.toDoubles(gram.diagonal());
        double mean = 0;
        for (int column = 0; column < diagonal.length; column++) {
            diagonal[column] = diagonal[column] == 0 ? 1 : scale * diagonal[column];
            mean += diagonal[column] / diagonal.length;
        }
        double tried = damping;
        while (true) {
            Tensor matrix = reversed(gram, scale, diagonal, tried * mean);
            int info = invertLowerFactor(matrix);
            if (info == 0) {
                Tensor upper = Tensors.scoped(() -> matrix.flip(0, 1).triu_());
                matrix.close();
                Tensor dead = Tensors.scoped(() -> gram.diagonal().eq(new Scalar(0.0)));
                return new InverseFactor(upper, dead, tried);
            }
            matrix.close();
            if (info < 0 || tried >= LAST_RETRY) {
                throw new ArithmeticException(
                        "the Gram matrix "
                                + Tensors.describe(gram)
                                + " of "
                                + sequences
                                + " sequences is not positive definite with damping "
                                + tried
                                + (info < 0 ? ": it holds a NaN" : ""));
            }
            tried = Math.min(LAST_RETRY, Math.max(FIRST_RETRY, 10 * tried));
        }
    }

    /** Sets the columns of dead input features to zero, in place. */
    public void clearDead(Tensor weight) {
        try (PointerScope scope = new PointerScope()) {
            weight.masked_fill_(dead, new Scalar(0.0));
        }
    }

    /** J (scale gram + damping) J, with the given diagonal before damping. */
    private static Tensor reversed(Tensor gram, double scale, double[] diagonal, double added) {
        return Tensors.scoped(() -> {
            Tensor matrix = gram.flip(0, 1).mul_(new Scalar(scale));
            double[] damped = new double[diagonal.length];
            for (int column = 0; column < damped.length; column++) {
                damped[damped.length - 1 - column] = diagonal[column] + added;
            }
            matrix.diagonal().copy_(Tensors.doubles(damped, damped.length));
            return matrix;
        });
    }

    /**
     * Replaces the lower triangle of a row-major symmetric matrix by the inverse of its Cholesky factor. LAPACK sees
     * the transpose, hence the letter U. The strict upper triangle keeps what was there.
     *
     * @return 0, or what LAPACK reports: the order of the minor that is not positive, or minus an invalid argument
     */
    private static int invertLowerFactor(Tensor matrix) {
        int size = Math.toIntExact(matrix.size(0));
        FloatPointer values = matrix.data_ptr_float();
        int info = LAPACKE_spotrf(LAPACK_COL_MAJOR, (byte) 'U', size, values, size);
        return info != 0
                ? info
                : LAPACKE_strtri(LAPACK_COL_MAJOR, (byte) 'U', (byte) 'N', size, values, size);
    }
}
