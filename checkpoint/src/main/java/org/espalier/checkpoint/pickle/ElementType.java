package org.espalier.checkpoint.pickle;

import org.jspecify.annotations.Nullable;

/** Element types that PyTorch stores, under the names that safetensors has for them. */
public enum ElementType {
    BOOL("Bool", "bool", 1),
    U8("Byte", "uint8", 1),
    I8("Char", "int8", 1),
    F8_E5M2(null, "float8_e5m2", 1),
    F8_E4M3(null, "float8_e4m3fn", 1),
    F8_E8M0(null, "float8_e8m0fnu", 1),
    F8_E4M3FNUZ(null, "float8_e4m3fnuz", 1),
    F8_E5M2FNUZ(null, "float8_e5m2fnuz", 1),
    I16("Short", "int16", 2),
    U16(null, "uint16", 2),
    F16("Half", "float16", 2),
    BF16("BFloat16", "bfloat16", 2),
    I32("Int", "int32", 4),
    U32(null, "uint32", 4),
    F32("Float", "float32", 4),
    C64("ComplexFloat", "complex64", 8),
    F64("Double", "float64", 8),
    I64("Long", "int64", 8),
    U64(null, "uint64", 8);

    private final @Nullable String storage;
    private final String dtype;
    private final int bytes;

    ElementType(@Nullable String storage, String dtype, int bytes) {
        this.storage = storage;
        this.dtype = dtype;
        this.bytes = bytes;
    }

    /** Bytes of one element. */
    public int bytes() {
        return bytes;
    }

    /** The class of its storages in the module {@code torch}; null for types that came after such classes. */
    @Nullable String storageClass() {
        return storage == null ? null : storage + "Storage";
    }

    /** Its name in the module {@code torch}, such as {@code float32}. */
    String dtype() {
        return dtype;
    }
}
