package org.espalier.checkpoint;

import java.util.List;

/**
 * A tensor that is going to be written.
 *
 * @param name its key in the header
 * @param dtype element type in the file
 * @param shape dimensions, slowest first; empty for a single number
 */
public record TensorSpec(String name, DType dtype, List<Long> shape) {
    public TensorSpec {
        if (name.equals(SafetensorsHeader.METADATA_KEY)) {
            throw new IllegalArgumentException(name + " is reserved");
        }
        shape = List.copyOf(shape);
    }

    /** Bytes of its data; the bits must fill whole bytes. */
    public long bytes() {
        long bits = Math.multiplyExact(elements(), (long) dtype.bits());
        if (bits % 8 != 0) {
            throw new IllegalArgumentException(
                    name + ": " + bits + " bits of " + dtype + " do not fill whole bytes");
        }
        return bits / 8;
    }

    /** Number of elements; 1 for a single number, 0 when a dimension is zero. */
    public long elements() {
        return shape.stream().mapToLong(Long::longValue).reduce(1, Math::multiplyExact);
    }
}
