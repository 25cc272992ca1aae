package org.espalier.prune.solve;

import java.util.Arrays;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.tensor.Parallel;
import org.espalier.core.tensor.Tensors;
import org.espalier.prune.solve.kernel.HessianFactor;

/**
 * SparseGPT's sweep over one matrix, block of columns by block of columns. What the blocks further left did reaches a
 * block as one matrix product when the sweep comes to it: with D = W_dense - W_pruned in the columns that were swept,
 * its weights have become W_dense + D R_{left,B} U_BB (see {@link HessianFactor}). Everything lies transposed, so that
 * the block is one piece of memory, and rows are swept side by side in tiles that fit the cache.
 */
final class BlockSweep {
    /** Columns that get the product with all columns further left together: enough for full GEMM speed. */
    static final int PANEL = 1024;

    private final HessianFactor factor;
    private final TileSweep.Matrices matrices;
    private final int step;
    private final int rows;
    private final int columns;

    /**
     * Prepares a sweep.
     *
     * @param factor R, of in_features
     * @param matrices what is swept
     * @param step columns per block
     */
    BlockSweep(HessianFactor factor, TileSweep.Matrices matrices, int step) {
        this.factor = factor;
        this.matrices = matrices;
        this.step = step;
        this.rows = Math.toIntExact(matrices.weight().size(0));
        this.columns = Math.toIntExact(matrices.weight().size(1));
    }

    /**
     * Sweeps the whole matrix.
     *
     * @param choice finds out which weights of a block stay
     */
    void run(SupportChoice choice) {
        int panel = step * Math.max(1, PANEL / step);
        try (PointerScope scope = new PointerScope()) {
            Tensor change = empty(columns);
            boolean[] dead = factor.deadFeatures();
            float[][] inverses = inverses();
            Tensor shifts = empty(Math.min(panel, columns));
            for (int left = 0; left < columns; left += panel) {
                int right = Math.min(columns, left + panel);
                Tensor shift = shifts.narrow(0, 0, right - left);
                product(change, 0, left, left, right, shift, 0);
                for (int from = left; from < right; from += step) {
                    int to = Math.min(right, from + step);
                    new TileSweep(
                                    matrices,
                                    from,
                                    inverses[from / step],
                                    Arrays.copyOfRange(dead, from, to),
                                    shift.narrow(0, from - left, to - from),
                                    change.narrow(0, from, to - from))
                            .run(choice);
                    if (to < right) {
                        Tensor later = shift.narrow(0, to - left, right - to);
                        product(change, from, to, to, right, later, 1);
                    }
                }
            }
        }
    }

    /** U_BB of every block. */
    private float[][] inverses() {
        float[][] inverses = new float[Math.ceilDiv(columns, step)][];
        Parallel.rows(
                inverses.length,
                (long) step * step * step,
                (first, last) -> {
                    for (int block = (int) first; block < last; block++) {
                        int from = block * step;
                        inverses[block] = factor.inverse(from, Math.min(step, columns - from));
                    }
                });
        return inverses;
    }

    private Tensor empty(int width) {
        return torch.empty(new long[] {width, rows}, Tensors.options(ScalarType.Float), null);
    }

    /** target = R[from:to, left:right]^T D^T[from:to] + beta target. */
    private void product(
            Tensor change, int from, int to, int left, int right, Tensor target, double beta) {
        if (from == to) {
            target.zero_();
            return;
        }
        try (PointerScope scope = new PointerScope()) {
            Tensor coupling =
                    factor.upper().narrow(0, from, to - from).narrow(1, left, right - left);
            Tensor done = change.narrow(0, from, to - from);
            target.addmm_(coupling.t(), done, new Scalar(beta), new Scalar(1.0));
        }
    }
}
