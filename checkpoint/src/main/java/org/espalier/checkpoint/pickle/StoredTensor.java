package org.espalier.checkpoint.pickle;

import java.util.List;

/**
 * A tensor as a view of a storage in the file; it has been checked that all of it lies there.
 *
 * @param name its key in the state dict
 * @param type element type
 * @param shape dimensions, slowest first; empty for a single number
 * @param strides elements from one entry of each dimension to the next, none negative
 * @param begin first byte of the view, from the start of the file
 * @param storage first byte of the storage, likewise
 */
public record StoredTensor(
        String name,
        ElementType type,
        List<Long> shape,
        List<Long> strides,
        long begin,
        long storage) {
    public StoredTensor {
        shape = List.copyOf(shape);
        strides = List.copyOf(strides);
    }

    /** Number of elements; 1 for a single number, 0 when a dimension is zero. */
    public long elements() {
        return shape.stream().mapToLong(Long::longValue).reduce(1, Math::multiplyExact);
    }

    /** Bytes of its elements. */
    public long bytes() {
        return Math.multiplyExact(elements(), (long) type.bytes());
    }

    /** Bytes from its first element to the end of its last; 0 where it has none. */
    public long span() {
        if (elements() == 0) {
            return 0;
        }
        long last = 0;
        for (int axis = 0; axis < shape.size(); axis++) {
            last += (shape.get(axis) - 1) * strides.get(axis);
        }
        return (last + 1) * type.bytes();
    }

    /** Whether its elements lie one after the other, the last dimension fastest. */
    public boolean isContiguous() {
        long expected = 1;
        for (int axis = shape.size() - 1; axis >= 0; axis--) {
            long size = shape.get(axis);
            if (size > 1 && strides.get(axis) != expected) {
                return elements() == 0;
            }
            expected *= Math.max(1, size);
        }
        return true;
    }

    /** Whether another is the same view of the same storage, under whatever name. */
    public boolean isSameAs(StoredTensor other) {
        return type == other.type
                && begin == other.begin
                && shape.equals(other.shape)
                && (strides.equals(other.strides) || (isContiguous() && other.isContiguous()));
    }
}
