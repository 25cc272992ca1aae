package org.espalier.checkpoint.gguf;

import java.util.List;

/**
 * Where a tensor lies in a GGUF file.
 *
 * @param name its name, shorter than 64 bytes
 * @param typeId the number of its element type
 * @param type the element type; {@link GgufType#OTHER} where the number says nothing here
 * @param extents {@code ne}: number of elements per axis, <em>fastest first</em>, the other way round than PyTorch
 * @param begin first byte of its data, counted from the start of the file
 * @param bytes bytes of its data, without padding
 */
public record GgufTensor(
        String name, int typeId, GgufType type, List<Long> extents, long begin, long bytes) {
    public GgufTensor {
        extents = List.copyOf(extents);
    }

    /** A tensor of a known type. */
    GgufTensor(String name, GgufType type, List<Long> extents, long begin, long bytes) {
        this(name, type.id(), type, extents, begin, bytes);
    }

    /** The type for people, even one that is only known by its number. */
    public String typeName() {
        return type == GgufType.OTHER ? OtherTypes.name(typeId) : type.name();
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
