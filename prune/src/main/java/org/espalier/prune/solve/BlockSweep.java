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
import org.espalier.prune.solve.kernel.Kernels;

/**
 * SparseGPT's sweep over one matrix. For each block of columns the rows are copied into the cache, swept there and
 * written back. The errors then update the columns beyond: at once those of the same panel of a few blocks, and once
 * per panel all the rest, so that the matrix streams through memory a few times only.
 */
final class BlockSweep {
    /** Columns whose errors are gathered before the rest of the matrix is updated: enough for full GEMM speed. */
    private static final int PANEL = 512;

    /** Rows swept together: tile, mask and errors stay in the first-level cache. */
    private static final int TILE = 16;

    /** Columns swept in all rows of a tile before the next ones: their rows of U stay in the cache as well. */
    private static final int STRIP = 8;

    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;

    private final Tensor upper;
    private final Tensor weight;
    private final Tensor keep;
    private final int step;
    private final int rows;
    private final int columns;

    /**
     * Prepares a sweep.
     *
     * @param upper U, float32 [in_features, in_features], contiguous
     * @param weight float32 [out_features, in_features], contiguous, swept in place
     * @param keep bool [out_features, in_features], contiguous, the mask: read where it is known, else written
     * @param step columns per block
     */
    BlockSweep(Tensor upper, Tensor weight, Tensor keep, int step) {
        this.upper = upper;
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
            long[] shape = {rows, Math.min(panel, columns)};
            Tensor errors = torch.empty(shape, Tensors.options(ScalarType.Float), null);
            for (int left = 0; left < columns; left += panel) {
                int right = Math.min(columns, left + panel);
                for (int from = left; from < right; from += step) {
                    int width = Math.min(right - from, step);
                    Tensor blockErrors = errors.narrow(1, from - left, width);
                    sweep(choice, from, width, blockErrors);
                    update(blockErrors, from, from + width, right);
                }
                update(errors.narrow(1, 0, right - left), left, right, columns);
            }
        }
    }

    private void sweep(SupportChoice choice, int from, int width, Tensor errors) {
        float[] factor = Tensors.toFloats(upper.narrow(0, from, width).narrow(1, from, width));
        float[] squares = new float[width];
        for (int column = 0; column < width; column++) {
            float diagonal = factor[column * width + column];
            squares[column] = diagonal * diagonal;
        }
        if (choice instanceof SupportChoice.PerBlock perBlock) {
            perBlock.choose(weight.narrow(1, from, width), squares, keep.narrow(1, from, width));
        }
        TileSweep sweep = new TileSweep(choice, from, width, factor, squares, errors);
        Parallel.rows(rows, (long) width * width, sweep::run);
    }

    /** weight[:, to:end] -= errors U[from:to, to:end], where errors belong to the columns [from, to). */
    private void update(Tensor errors, int from, int to, int end) {
        if (to < end) {
            try (PointerScope scope = new PointerScope()) {
                Tensor factor = upper.narrow(0, from, to - from).narrow(1, to, end - to);
                weight.narrow(1, to, end - to)
                        .addmm_(errors, factor, new Scalar(1.0), new Scalar(-1.0));
            }
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
        private final float[] factor;
        private final float[] squares;
        private final MemorySegment errors;
        private final long errorStride;

        TileSweep(
                SupportChoice choice,
                int from,
                int width,
                float[] factor,
                float[] squares,
                Tensor errors) {
            this.choice = choice;
            this.from = from;
            this.width = width;
            this.factor = factor;
            this.squares = squares;
            this.errorStride = errors.stride(0);
            this.errors =
                    MemorySegment.ofAddress(errors.data_ptr().address())
                            .reinterpret(((rows - 1) * errorStride + width) * Float.BYTES);
        }

        void run(long fromRow, long toRow) {
            float[] tile = new float[TILE * width];
            float[] error = new float[TILE * width];
            byte[] kept = new byte[TILE * width];
            for (long first = fromRow; first < toRow; first += TILE) {
                int height = (int) Math.min(TILE, toRow - first);
                for (int row = 0; row < height; row++) {
                    long at = (first + row) * columns + from;
                    int start = row * width;
                    MemorySegment.copy(weights, FLOAT, at * Float.BYTES, tile, start, width);
                    MemorySegment.copy(mask, ValueLayout.JAVA_BYTE, at, kept, start, width);
                }
                sweep(height, tile, kept, error);
                for (int row = 0; row < height; row++) {
                    long at = (first + row) * columns + from;
                    long errorAt = (first + row) * errorStride;
                    int start = row * width;
                    MemorySegment.copy(tile, start, weights, FLOAT, at * Float.BYTES, width);
                    MemorySegment.copy(kept, start, mask, ValueLayout.JAVA_BYTE, at, width);
                    MemorySegment.copy(error, start, errors, FLOAT, errorAt * Float.BYTES, width);
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
                    kernels.sweep(tile, start, factor, width, column, end, kept, error);
                }
            }
        }
    }
}
