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
 * SparseGPT's sweep over one matrix. For each block of columns every row is copied into the cache, swept there and
 * written back. The errors then update the columns beyond: at once those of the same panel of a few blocks, and once
 * per panel all the rest, so that the matrix streams through memory a few times only.
 */
final class BlockSweep {
    /** Columns whose errors are gathered before the rest of the matrix is updated: enough for full GEMM speed. */
    private static final int PANEL = 512;

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
        if (choice instanceof SupportChoice.PerBlock perBlock) {
            perBlock.choose(weight.narrow(1, from, width), factor, keep.narrow(1, from, width));
        }
        RowSweep sweep = new RowSweep(choice, from, width, factor, errors);
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

    /** Sweeps the rows of one block. */
    private final class RowSweep {
        private final Kernels kernels = Kernels.best();
        private final MemorySegment weights = Tensors.segment(weight);
        private final MemorySegment mask = Tensors.segment(keep);
        private final SupportChoice choice;
        private final int from;
        private final int width;
        private final float[] factor;
        private final MemorySegment errors;
        private final long errorStride;

        RowSweep(SupportChoice choice, int from, int width, float[] factor, Tensor errors) {
            this.choice = choice;
            this.from = from;
            this.width = width;
            this.factor = factor;
            this.errorStride = errors.stride(0);
            this.errors =
                    MemorySegment.ofAddress(errors.data_ptr().address())
                            .reinterpret(((rows - 1) * errorStride + width) * Float.BYTES);
        }

        void run(long fromRow, long toRow) {
            float[] row = new float[width];
            float[] error = new float[width];
            byte[] kept = new byte[width];
            for (long index = fromRow; index < toRow; index++) {
                long at = index * columns + from;
                long floatAt = at * Float.BYTES;
                MemorySegment.copy(weights, ValueLayout.JAVA_FLOAT, floatAt, row, 0, width);
                if (choice instanceof SupportChoice.PerGroup perGroup) {
                    for (int group = 0; group < width; group += perGroup.size()) {
                        int end = group + perGroup.size();
                        perGroup.choose(row, factor, width, group, kept);
                        kernels.sweep(row, factor, width, group, end, kept, error);
                    }
                    MemorySegment.copy(kept, 0, mask, ValueLayout.JAVA_BYTE, at, width);
                } else {
                    MemorySegment.copy(mask, ValueLayout.JAVA_BYTE, at, kept, 0, width);
                    kernels.sweep(row, factor, width, 0, width, kept, error);
                }
                MemorySegment.copy(row, 0, weights, ValueLayout.JAVA_FLOAT, floatAt, width);
                long errorAt = index * errorStride * Float.BYTES;
                MemorySegment.copy(error, 0, errors, ValueLayout.JAVA_FLOAT, errorAt, width);
            }
        }
    }
}
