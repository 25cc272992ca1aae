package org.espalier.checkpoint.gguf;

import java.util.List;

/**
 * Where a tensor lies in a GGUF file.
 *
 * @param name its name, shorter than 64 bytes
 * @param type element type
 * @param extents {@code ne}: number of elements per axis, <em>fastest first</em>, the other way round than PyTorch
 * @param begin first byte of its data, counted from the start of the file
 * @param bytes bytes of its data, without padding
 */
public record GgufTensor(String name, GgufType type, List<Long> extents, long begin, long bytes) {
    public GgufTensor {
        extents = List.copyOf(extents);
    }

    /** The shape as PyTorch has it, slowest axis first. */
    public List<Long> shape() {
        return extents.reversed();
    }

    /** Number of elements. */
    public long elements() {
        return extents.stream().mapToLong(Long::longValue).reduce(1, Math::multiplyExact);
    }
}
