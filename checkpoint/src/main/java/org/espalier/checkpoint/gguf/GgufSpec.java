package org.espalier.checkpoint.gguf;

import java.util.List;

/**
 * A tensor that is going to be written.
 *
 * @param name its name, at most 63 bytes
 * @param type element type
 * @param extents number of elements per axis, <em>fastest first</em>; the first a multiple of the type's block
 */
public record GgufSpec(String name, GgufType type, List<Long> extents) {
    public GgufSpec {
        extents = List.copyOf(extents);
        if (extents.isEmpty() || extents.getFirst() % type.blockElements() != 0) {
            throw new IllegalArgumentException(name + " " + extents + " has no blocks of " + type);
        }
    }

    /** Number of elements. */
    public long elements() {
        return extents.stream().mapToLong(Long::longValue).reduce(1, Math::multiplyExact);
    }

    /** Bytes of its data, without padding. */
    public long bytes() {
        return Math.multiplyExact(elements() / type.blockElements(), type.blockBytes());
    }
}
