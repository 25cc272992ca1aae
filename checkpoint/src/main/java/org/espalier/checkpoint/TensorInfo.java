package org.espalier.checkpoint;

import java.util.List;

/**
 * Where a tensor lies in its file.
 *
 * @param name its key in the header
 * @param dtype element type
 * @param shape dimensions, slowest first; empty for a single number
 * @param begin first byte, counted from the start of the file's data section
 * @param end byte after the last, counted likewise
 */
public record TensorInfo(String name, DType dtype, List<Long> shape, long begin, long end) {
    public TensorInfo {
        shape = List.copyOf(shape);
    }

    /** Bytes of its data. */
    public long bytes() {
        return end - begin;
    }

    /** Number of elements; 1 for a single number, 0 when a dimension is zero. */
    public long elements() {
        return shape.stream().mapToLong(Long::longValue).reduce(1, Math::multiplyExact);
    }

    /** The shape as libtorch takes it. */
    public long[] dimensions() {
        return shape.stream().mapToLong(Long::longValue).toArray();
    }
}
