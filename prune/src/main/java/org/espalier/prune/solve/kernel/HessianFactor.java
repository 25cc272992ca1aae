package org.espalier.prune.solve.kernel;

import static org.bytedeco.openblas.global.openblas.LAPACKE_spotrf;
import static org.bytedeco.openblas.global.openblas.LAPACK_COL_MAJOR;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.tensor.Tensors;
import org.espalier.prune.calibrate.LayerStatistics;
import org.espalier.prune.calibrate.StoredGram;
import org.espalier.prune.layer.NumericFailure;

/**
 * The factor of the Hessian on which SparseGPT sweeps: R upper triangular with H + damping = R R^T, where
 * H = 2/n X^T X over n sequences (SparseGPT, arXiv 2301.00774, section 3.3; card sparsegpt, steps 1 to 3).
 *
 * <p>The paper sweeps on U = R^-1, for which (H + damping)^-1 = U^T U; the official code gets it through a Cholesky
 * factorization, an inverse and another Cholesky. One factorization is enough. With J the reversal of all indices,
 * J (H + damping) J = L L^T gives R = J L J; and of U only the blocks on its diagonal are needed, which are the inverses
 * of the blocks of R, because what the blocks left of B did to the weights of B is also D R_{left,B} U_BB, where
 * D = W_dense - W_pruned in the columns that were swept.
 *
 * @param upper R, float32 [in_features, in_features]; what stands below its diagonal has no meaning
 * @param dead bool [in_features], the input features that no token ever used: diagonal 0, which became 1
 * @param damping the damping that succeeded, as a fraction of the mean diagonal
 */
public record HessianFactor(Tensor upper, Tensor dead, double damping) {
    private static final double FIRST_RETRY = 0.01;
    private static final double LAST_RETRY = 1;

    /**
     * Factors one Gram matrix. Where rounding makes it indefinite, the damping grows tenfold up to 1.
     *
     * @param gram X^T X, float32 [in_features, in_features], undamped
     * @param sequences n, the number of sequences in it
     * @param damping fraction of the mean diagonal that is added to the diagonal, at least 0
     * @return the factor, owned by the innermost open scope of the caller
     * @throws NumericFailure if no damping up to 1 makes the matrix positive definite
     */
    public static HessianFactor of(Tensor gram, long sequences, double damping) {
        Start copy = (matrix, scale) -> Reversal.toUpper(gram.contiguous(), matrix, scale);
        return of(copy, gram.diagonal(), sequences, damping);
    }

    /**
     * Factors the Gram matrix of an input; one in a file is factored where it is read to, so that no second matrix of its
     * size is in memory.
     *
     * @param damping fraction of the mean diagonal that is added to the diagonal, at least 0
     * @return the factor, owned by the innermost open scope of the caller; the same to the bit in either case
     * @throws NumericFailure if no damping up to 1 makes the matrix positive definite
     */
    public static HessianFactor of(LayerStatistics statistics, double damping) {
        StoredGram stored = statistics.storedGram();
        if (stored == null) {
            return of(statistics.gramMatrix(), statistics.sequences(), damping);
        }
        Start reading =
                (matrix, scale) -> {
                    stored.readInto(matrix);
                    Reversal.turn(matrix, scale);
                };
        return of(reading, stored.diagonal(), statistics.sequences(), damping);
    }

    /** Makes a matrix hold J (scale H) J, at least in its upper triangle. */
    @FunctionalInterface
    private interface Start {
        void fill(Tensor matrix, float scale);
    }

    private static HessianFactor of(
            Start start, Tensor gramDiagonal, long sequences, double damping) {
        double scale = 2.0 / Math.max(1, sequences);
        double[] diagonal = Tensors.toDoubles(gramDiagonal);
        double mean = 0;
        for (int column = 0; column < diagonal.length; column++) {
            diagonal[column] = diagonal[column] == 0 ? 1 : scale * diagonal[column];
            mean += diagonal[column] / diagonal.length;
        }
        long[] shape = {diagonal.length, diagonal.length};
        Tensor matrix = torch.empty(shape, Tensors.options(ScalarType.Float), null);
        double tried = damping;
        while (true) {
            start.fill(matrix, (float) scale);
            int info = factor(matrix, diagonal, tried * mean);
            if (info == 0) {
                Tensor dead = Tensors.scoped(() -> gramDiagonal.eq(new Scalar(0.0)));
                return new HessianFactor(Tensors.scoped(matrix::t), dead, tried);
            }
            if (info < 0 || tried >= LAST_RETRY) {
                String described = Tensors.describe(matrix);
                matrix.close();
                throw new NumericFailure(
                        "the Gram matrix "
                                + described
                                + " of "
                                + sequences
                                + " sequences is not positive definite with damping "
                                + tried
                                + (info < 0 ? ": it holds a NaN" : ""));
            }
            tried = Math.min(LAST_RETRY, Math.max(FIRST_RETRY, 10 * tried));
        }
    }

    /** {@link #dead} as an array: the weights of these input features count as zero. */
    public boolean[] deadFeatures() {
        float[] marks = Tensors.toFloats(dead);
        boolean[] features = new boolean[marks.length];
        for (int feature = 0; feature < features.length; feature++) {
            features[feature] = marks[feature] != 0;
        }
        return features;
    }

    /**
     * U_BB, the block of U = R^-1 that belongs to some adjacent input features.
     *
     * @param from first of them
     * @param width how many
     * @return upper triangular, row-major [width, width], zeros below its diagonal; computed in float64
     */
    public float[] inverse(int from, int width) {
        float[] block;
        try (PointerScope scope = new PointerScope()) {
            block = Tensors.toFloats(upper.narrow(0, from, width).narrow(1, from, width));
        }
        double[] inverse = new double[width * width];
        for (int row = width - 1; row >= 0; row--) {
            int at = row * width;
            double diagonal = block[at + row];
            inverse[at + row] = 1 / diagonal;
            for (int middle = row + 1; middle < width; middle++) {
                double factor = block[at + middle] / diagonal;
                int below = middle * width;
                for (int column = middle; column < width; column++) {
                    inverse[at + column] -= factor * inverse[below + column];
                }
            }
        }
        float[] rounded = new float[inverse.length];
        for (int index = 0; index < rounded.length; index++) {
            rounded[index] = (float) inverse[index];
        }
        return rounded;
    }

    /**
     * Makes the matrix, J H J in its upper triangle, hold R^T in its lower triangle. LAPACK sees the transpose, hence the letter L, with which OpenBLAS
     * is also a sixth faster than with the other one.
     *
     * @return 0, or what LAPACK reports: the order of the minor that is not positive, or minus an invalid argument
     */
    private static int factor(Tensor matrix, double[] diagonal, double added) {
        int size = diagonal.length;
        try (PointerScope scope = new PointerScope()) {
            double[] damped = new double[size];
            for (int column = 0; column < size; column++) {
                damped[size - 1 - column] = diagonal[column] + added;
            }
            matrix.diagonal().copy_(Tensors.doubles(damped, size));
            int info =
                    LAPACKE_spotrf(
                            LAPACK_COL_MAJOR, (byte) 'L', size, matrix.data_ptr_float(), size);
            Reversal.toLower(matrix);
            return info;
        }
    }
}
