package org.espalier.checkpoint.gguf;

import org.jspecify.annotations.Nullable;

/** Types of metadata values, in the order of their numbers in the file, from 0. */
public enum GgufValueType {
    U8(1),
    I8(1),
    U16(2),
    I16(2),
    U32(4),
    I32(4),
    F32(4),
    BOOL(1),
    /** Eight bytes of length and the text: eight at least. */
    STRING(8),
    /** Four bytes of element type and eight of count: twelve at least. */
    ARRAY(12),
    U64(8),
    I64(8),
    F64(8);

    private final int leastBytes;

    GgufValueType(int leastBytes) {
        this.leastBytes = leastBytes;
    }

    /** The number that stands for this type in a file. */
    @SuppressWarnings("EnumOrdinal") // the order is that of the format, and stated to be
    int id() {
        return ordinal();
    }

    /** The fewest bytes that a value of this type takes. */
    int leastBytes() {
        return leastBytes;
    }

    static @Nullable GgufValueType of(int id) {
        return id >= 0 && id < values().length ? values()[id] : null;
    }
}
