package org.espalier.prune.solve;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.tensor.Parallel;
import org.espalier.core.tensor.Tensors;
import org.espalier.prune.solve.kernel.HessianFactor;
import org.espalier.prune.solve.kernel.Kernels;

/**
 * SparseGPT's sweep over one matrix. For each block of columns the rows are copied into the cache, swept there and
 * written back. What the blocks further left did reaches a block as one matrix product when the sweep comes to it: with
 * D = W_dense - W_pruned in the columns that were swept, its weights have become W_dense + D R_{left,B} U_BB (see
 * {@link HessianFactor}).
 */
final class BlockSweep {
    /** Columns that get the product with all columns further left together: enough for full GEMM speed. */
    static final int PANEL = 512;

    /** Rows swept together: tile, mask and errors stay in the first-level cache. */
    private static final int TILE = 16;

    /** Columns swept in all rows of a tile before the next ones: their rows of U stay in the cache as well. */
    private static final int STRIP = 8;

    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;

    private final HessianFactor factor;
    private final Tensor weight;
    private final Tensor keep;
    private final int step;
    private final int rows;
    private final int columns;

    /**
     * Prepares a sweep.
     *
     * @param factor R, of in_features
     * @param weight float32 [out_features, in_features], contiguous, swept in place
     * @param keep bool [out_features, in_features], contiguous, the mask: read where it is known, else written
     * @param step columns per block
     */
    BlockSweep(HessianFactor factor, Tensor weight, Tensor keep, int step) {
        this.factor = factor;
        this.weight = weight;
        this.keep = keep;
        this.step = step;
        this.rows = Math.toIntExact(weight.size(0));
        this.columns = Math.toIntExact(weight.size(1));
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
            Tensor shifts = empty(Math.min(panel, columns));
            Tensor current = empty(Math.min(step, columns));
            for (int left = 0; left < columns; left += panel) {
                int right = Math.min(columns, left + panel);
                Tensor shift = shifts.narrow(1, 0, right - left);
                product(change, 0, left, left, right, shift, 0);
                for (int from = left; from < right; from += step) {
                    int to = Math.min(right, from + step);
                    block(
                            choice,
                            from,
                            to,
                            shift.narrow(1, from - left, to - from),
                            change,
                            current);
                    if (to < right) {
                        Tensor later = shift.narrow(1, to - left, right - to);
                        product(change, from, to, to, right, later, 1);
                    }
                }
            }
        }
    }

    private Tensor empty(int width) {
        return torch.empty(new long[] {rows, width}, Tensors.options(ScalarType.Float), null);
    }

    /** target = D[:, from:to] R[from:to, left:right] + beta target. */
    private void product(
            Tensor change, int from, int to, int left, int right, Tensor target, double beta) {
        if (from == to) {
            target.zero_();
            return;
        }
        try (PointerScope scope = new PointerScope()) {
            Tensor coupling =
                    factor.upper().narrow(0, from, to - from).narrow(1, left, right - left);
            Tensor done = change.narrow(1, from, to - from);
            target.addmm_(done, coupling, new Scalar(beta), new Scalar(1.0));
        }
    }

    private void block(
            SupportChoice choice, int from, int to, Tensor shift, Tensor change, Tensor buffer) {
        int width = to - from;
        float[] inverse = factor.inverse(from, width);
        float[] squares = new float[width];
        for (int column = 0; column < width; column++) {
            float diagonal = inverse[column * width + column];
            squares[column] = diagonal * diagonal;
        }
        try (PointerScope scope = new PointerScope()) {
            Tensor current = width == buffer.size(1) ? buffer : empty(width);
            current.copy_(weight.narrow(1, from, width));
            current.addmm_(shift, Tensors.floats(inverse, width, width));
            if (choice instanceof SupportChoice.PerBlock perBlock) {
                perBlock.choose(current, squares, keep.narrow(1, from, width));
            }
            TileSweep sweep = new TileSweep(choice, from, width, inverse, squares, current, change);
            Parallel.rows(rows, (long) width * width, sweep::run);
        }
    }

    /** Sweeps the rows of one block, a tile of a few rows at a time. */
    private final class TileSweep {
        private final Kernels kernels = Kernels.best();
        private final MemorySegment weights = Tensors.segment(weight);
        private final MemorySegment mask = Tensors.segment(keep);
        private final SupportChoice choice;
        private final int from;
        private final int width;
        private final float[] inverse;
        private final float[] squares;
        private final MemorySegment current;
        private final MemorySegment change;

        TileSweep(
                SupportChoice choice,
                int from,
                int width,
                float[] inverse,
                float[] squares,
                Tensor current,
                Tensor change) {
            this.choice = choice;
            this.from = from;
            this.width = width;
            this.inverse = inverse;
            this.squares = squares;
            this.current = Tensors.segment(current);
            this.change = Tensors.segment(change);
        }

        void run(long fromRow, long toRow) {
            float[] tile = new float[TILE * width];
            float[] error = new float[TILE * width];
            float[] dense = new float[width];
            byte[] kept = new byte[TILE * width];
            for (long first = fromRow; first < toRow; first += TILE) {
                int height = (int) Math.min(TILE, toRow - first);
                int size = height * width;
                MemorySegment.copy(current, FLOAT, first * width * Float.BYTES, tile, 0, size);
                if (!(choice instanceof SupportChoice.PerGroup)) {
                    for (int row = 0; row < height; row++) {
                        long at = (first + row) * columns + from;
                        MemorySegment.copy(
                                mask, ValueLayout.JAVA_BYTE, at, kept, row * width, width);
                    }
                }
                sweep(height, tile, kept, error);
                for (int row = 0; row < height; row++) {
                    long at = (first + row) * columns + from;
                    int start = row * width;
                    MemorySegment.copy(weights, FLOAT, at * Float.BYTES, dense, 0, width);
                    MemorySegment.copy(tile, start, weights, FLOAT, at * Float.BYTES, width);
                    for (int column = 0; column < width; column++) {
                        dense[column] -= tile[start + column];
                    }
                    MemorySegment.copy(dense, 0, change, FLOAT, at * Float.BYTES, width);
                    MemorySegment.copy(kept, start, mask, ValueLayout.JAVA_BYTE, at, width);
                }
            }
        }

        /** Strip by strip over all rows of the tile: rows do not wait for each other as columns do. */
        private void sweep(int height, float[] tile, byte[] kept, float[] error) {
            SupportChoice.PerGroup groups =
                    choice instanceof SupportChoice.PerGroup perGroup ? perGroup : null;
            int strip = groups == null ? STRIP : groups.size();
            float[] saliency = new float[strip];
            for (int column = 0; column < width; column += strip) {
                int end = Math.min(width, column + strip);
                for (int row = 0; row < height; row++) {
                    int start = row * width;
                    if (groups != null) {
                        groups.choose(tile, start + column, squares, column, saliency, kept);
                    }
                    kernels.sweep(tile, start, inverse, width, column, end, kept, error);
                }
            }
        }
    }
}
