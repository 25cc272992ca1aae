package org.espalier.prune.calibrate;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.tensor.Tensors;
import org.jspecify.annotations.Nullable;

/**
 * X^T X of one input, summed over batches panel by panel: some rows of the result at a time. In memory and in a scratch
 * file the same products are made in the same order, so both give the same to the bit.
 */
final class GramSum implements StoredGram, AutoCloseable {
    /** Rows of a panel: enough to keep a matrix product busy, and most matrices of small models in one panel. */
    static final long PANEL = 2048;

    private final long columns;
    private final long panel;

    /** The sum in memory; null where it is in the file. */
    private final @Nullable Tensor matrix;

    private final @Nullable ScratchFile file;
    private final long position;

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
        try (PointerScope scope = new PointerScope()) {
            if (file == null) {
                matrix =
                        Tensors.own(
                                torch.zeros(
                                        new long[] {columns, columns},
                                        Tensors.options(ScalarType.Float)));
                return;
            }
            matrix = null;
            for (long from = 0; from < columns; from += panel) {
                long[] shape = {rows(from), columns};
                file.put(torch.zeros(shape, Tensors.options(ScalarType.Float)), at(from));
            }
        }
    }

    /** Bytes that a sum takes. */
    static long bytes(long columns) {
        return Float.BYTES * columns * columns;
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
        for (long from = 0; from < columns; from += panel) {
            try (PointerScope scope = new PointerScope()) {
                Tensor some = input.narrow(1, from, rows(from)).t();
                if (file == null) {
                    inMemory().narrow(0, from, rows(from)).addmm_(some, input);
                } else {
                    Tensor sum = file.get(at(from), rows(from), columns);
                    file.put(sum.addmm_(some, input), at(from));
                }
            }
        }
    }

    /** The sum in memory; it stays this object's. */
    Tensor inMemory() {
        if (matrix == null) {
            throw new IllegalStateException("the Gram matrix is in a file");
        }
        return matrix;
    }

    @Override
    public void readInto(Tensor target) {
        if (file == null) {
            target.copy_(inMemory());
        } else {
            file.fill(target, position);
        }
    }

    @Override
    public long columns() {
        return columns;
    }

    @Override
    public Tensor diagonal() {
        return Tensors.scoped(() -> {
            if (file == null) {
                return inMemory().diagonal().clone();
            }
            List<Tensor> parts = new ArrayList<>();
            for (long from = 0; from < columns; from += panel) {
                long first = from;
                parts.add(
                        Tensors.scoped(() ->
                                file.get(at(first), rows(first), columns)
                                        .diagonal(first, 0, 1)
                                        .clone()));
            }
            return torch.cat(new TensorVector(parts.toArray(Tensor[]::new)));
        });
    }

    private long rows(long from) {
        return Math.min(panel, columns - from);
    }

    private long at(long row) {
        return position + Float.BYTES * row * columns;
    }

    @Override
    public void close() {
        if (matrix != null) {
            matrix.close();
        }
    }
}
