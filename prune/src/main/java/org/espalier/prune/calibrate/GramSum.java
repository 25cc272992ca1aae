package org.espalier.prune.calibrate;

import static org.bytedeco.openblas.global.openblas.CblasRowMajor;
import static org.bytedeco.openblas.global.openblas.CblasTrans;
import static org.bytedeco.openblas.global.openblas.CblasUpper;
import static org.bytedeco.openblas.global.openblas.cblas_ssyrk;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.tensor.Tensors;
import org.jspecify.annotations.Nullable;

/**
 * X^T X of one input, summed over batches panel by panel: some rows of the result at a time, and of these what lies on
 * the diagonal and to its right. The rest is its mirror image and is filled in when the sum is asked for. In memory and
 * in a scratch file the same products are made in the same order, so both give the same to the bit.
 */
final class GramSum implements StoredGram, AutoCloseable {
    /** Rows of a panel: enough to keep a matrix product busy, and most matrices of small models in one panel. */
    static final long PANEL = 2048;

    /** Rows and columns that are mirrored at a time: two such squares fit into a cache. */
    private static final long MIRRORED = 256;

    /** Numbers that are read from the file at a time: they lie closer together there than in the matrix. */
    private static final long READ = 1L << 20;

    private final long columns;
    private final long panel;

    /** The sum in memory; null where it is in the file. */
    private final @Nullable Tensor matrix;

    private final @Nullable ScratchFile file;
    private final long position;

    /** What is known of the panels in the file, so that nobody has to read them for it. */
    private final @Nullable Tensor diagonal;

    private final boolean[] finite;

    private boolean mirrored;

    /**
     * A sum of nothing yet.
     *
     * @param columns in_features
     * @param panel rows of a panel
     * @param file where the sum goes, or null for memory; it stays the caller's to close
     * @param position first byte in the file
     */
    GramSum(long columns, long panel, @Nullable ScratchFile file, long position) {
        this.columns = columns;
        this.panel = panel;
        this.file = file;
        this.position = position;
        this.finite = new boolean[Math.toIntExact(Math.ceilDiv(columns, panel))];
        try (PointerScope scope = new PointerScope()) {
            matrix = file == null ? zeros(columns, columns) : null;
            diagonal = file == null ? null : zeros(columns);
            for (long from = 0; file != null && from < columns; from += panel) {
                long[] shape = {rows(from), columns - from};
                file.put(torch.zeros(shape, Tensors.options(ScalarType.Float)), at(from));
                finite[panelOf(from)] = true;
            }
        }
    }

    private static Tensor zeros(long... shape) {
        return Tensors.own(torch.zeros(shape, Tensors.options(ScalarType.Float)));
    }

    /** Bytes that a sum takes in memory. */
    static long bytes(long columns) {
        return Float.BYTES * columns * columns;
    }

    /** Bytes that a sum takes in a file. */
    static long fileBytes(long columns, long panel) {
        long numbers = 0;
        for (long from = 0; from < columns; from += panel) {
            numbers += Math.min(panel, columns - from) * (columns - from);
        }
        return Float.BYTES * numbers;
    }

    /** Bytes of a sum in a file that are in memory at a time. */
    static long panelBytes(long columns) {
        return Float.BYTES * Math.min(PANEL, columns) * columns;
    }

    /**
     * Adds the products of a batch.
     *
     * @param input float32 [tokens, in_features]
     */
    void add(Tensor input) {
        if (mirrored) {
            throw new IllegalStateException("the sum was asked for before the last input");
        }
        for (long from = 0; from < columns; from += panel) {
            try (PointerScope scope = new PointerScope()) {
                Tensor batch = input.contiguous();
                if (matrix != null) {
                    Tensor some = matrix.narrow(0, from, rows(from));
                    add(batch, from, some.narrow(1, from, columns - from));
                } else {
                    Tensor some = file().get(at(from), rows(from), columns - from);
                    add(batch, from, some);
                    file().put(some, at(from));
                    note(from, some);
                }
            }
        }
    }

    /** Adds to the square on the diagonal, half of which is enough, and to all that lies to its right. */
    private void add(Tensor input, long from, Tensor sum) {
        long rows = rows(from);
        Tensor own = input.narrow(1, from, rows);
        cblas_ssyrk(
                CblasRowMajor,
                CblasUpper,
                CblasTrans,
                Math.toIntExact(rows),
                Math.toIntExact(input.size(0)),
                1,
                own.data_ptr_float(),
                Math.toIntExact(columns),
                1,
                sum.data_ptr_float(),
                Math.toIntExact(sum.stride(0)));
        long right = columns - from - rows;
        if (right > 0) {
            sum.narrow(1, rows, right).addmm_(own.t(), input.narrow(1, from + rows, right));
        }
    }

    private void note(long from, Tensor sum) {
        if (diagonal != null) {
            diagonal.narrow(0, from, rows(from)).copy_(sum.diagonal());
            finite[panelOf(from)] = Tensors.isFinite(sum);
        }
    }

    /** The sum in memory; it stays this object's. Nothing can be added afterwards. */
    Tensor inMemory() {
        if (matrix == null) {
            throw new IllegalStateException("the Gram matrix is in a file");
        }
        if (!mirrored) {
            mirror(matrix);
            mirrored = true;
        }
        return matrix;
    }

    /** Copies what is above the diagonal to below it. */
    private static void mirror(Tensor square) {
        long size = square.size(0);
        for (long from = 0; from < size; from += MIRRORED) {
            long rows = Math.min(MIRRORED, size - from);
            try (PointerScope scope = new PointerScope()) {
                Tensor corner = square.narrow(0, from, rows).narrow(1, from, rows);
                long[] shape = {rows, rows};
                Tensor below = torch.ones(shape, Tensors.options(ScalarType.Bool)).tril(-1);
                corner.copy_(torch.where(below, corner.t(), corner));
                for (long to = from + rows; to < size; to += MIRRORED) {
                    long width = Math.min(MIRRORED, size - to);
                    square.narrow(0, to, width)
                            .narrow(1, from, rows)
                            .copy_(square.narrow(0, from, rows).narrow(1, to, width).t());
                }
            }
        }
    }

    @Override
    public void readInto(Tensor target) {
        if (file == null) {
            target.copy_(inMemory());
            return;
        }
        for (long from = 0; from < columns; from += panel) {
            long width = columns - from;
            long step = Math.max(1, READ / width);
            for (long row = 0; row < rows(from); row += step) {
                try (PointerScope scope = new PointerScope()) {
                    long count = Math.min(step, rows(from) - row);
                    Tensor some = file().get(at(from) + Float.BYTES * row * width, count, width);
                    target.narrow(0, from + row, count).narrow(1, from, width).copy_(some);
                }
            }
        }
        mirror(target);
    }

    @Override
    public long columns() {
        return columns;
    }

    @Override
    public Tensor diagonal() {
        return Tensors.scoped(
                () -> diagonal == null ? inMemory().diagonal().clone() : diagonal.clone());
    }

    @Override
    public boolean isFinite() {
        if (matrix != null) {
            return Tensors.isFinite(inMemory());
        }
        for (boolean some : finite) {
            if (!some) {
                return false;
            }
        }
        return true;
    }

    private ScratchFile file() {
        if (file == null) {
            throw new IllegalStateException("the Gram matrix is in memory");
        }
        return file;
    }

    private int panelOf(long row) {
        return (int) (row / panel);
    }

    private long rows(long from) {
        return Math.min(panel, columns - from);
    }

    /** First byte of the panel that begins with a row. */
    private long at(long row) {
        // Each panel is narrower than the one before it by the height of a panel.
        long before = row / panel;
        long width = before * columns - panel * (before * (before - 1) / 2);
        return position + Float.BYTES * panel * width;
    }

    @Override
    public void close() {
        if (matrix != null) {
            matrix.close();
        }
        if (diagonal != null) {
            diagonal.close();
        }
    }
}
