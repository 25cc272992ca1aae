package org.espalier.checkpoint;

import java.util.Optional;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.UserError;
import org.jspecify.annotations.Nullable;

/**
 * Element types of safetensors, in the declaration order of the reference implementation. The order matters: the
 * reference writer stores the tensors of the last type first, which aligns all of them. The constants' names are the
 * names in the file.
 */
public enum DType {
    BOOL(8, ScalarType.Bool),
    F4(4, null),
    F6_E2M3(6, null),
    F6_E3M2(6, null),
    U8(8, ScalarType.Byte),
    I8(8, ScalarType.Char),
    F8_E5M2(8, ScalarType.Float8_e5m2),
    F8_E4M3(8, ScalarType.Float8_e4m3fn),
    F8_E8M0(8, ScalarType.Float8_e8m0fnu),
    F8_E4M3FNUZ(8, ScalarType.Float8_e4m3fnuz),
    F8_E5M2FNUZ(8, ScalarType.Float8_e5m2fnuz),
    I16(16, ScalarType.Short),
    U16(16, ScalarType.UInt16),
    F16(16, ScalarType.Half),
    BF16(16, ScalarType.BFloat16),
    I32(32, ScalarType.Int),
    U32(32, ScalarType.UInt32),
    F32(32, ScalarType.Float),
    C64(64, ScalarType.ComplexFloat),
    F64(64, ScalarType.Double),
    I64(64, ScalarType.Long),
    U64(64, ScalarType.UInt64);

    private final int bits;
    private final @Nullable ScalarType scalarType;

    DType(int bits, @Nullable ScalarType scalarType) {
        this.bits = bits;
        this.scalarType = scalarType;
    }

    /** Bits per element: 4, 6, 8, 16, 32 or 64. */
    public int bits() {
        return bits;
    }

    /** libtorch's type with the same layout; empty for the types of less than a byte. */
    public Optional<ScalarType> scalarType() {
        return Optional.ofNullable(scalarType);
    }

    /** Whether weights of this type follow when a checkpoint changes its dtype: float32, float16 and bfloat16. */
    public boolean isConvertible() {
        return this == F16 || this == BF16 || this == F32;
    }

    /** Whether tensors of this type are numbers by themselves: the convertible types and float64. */
    public boolean isPlain() {
        return isConvertible() || this == F64;
    }

    /** Whether this is a real floating type of at least a byte. */
    public boolean isFloating() {
        return switch (this) {
            case F8_E5M2, F8_E4M3, F8_E8M0, F8_E4M3FNUZ, F8_E5M2FNUZ, F16, BF16, F32, F64 -> true;
            default -> false;
        };
    }

    /**
     * The name that {@code config.json} uses under {@code dtype} or {@code torch_dtype}, which is also what the command
     * line takes.
     *
     * @throws IllegalStateException for types that a whole checkpoint cannot have
     */
    public String configName() {
        return switch (this) {
            case F16 -> "float16";
            case BF16 -> "bfloat16";
            case F32 -> "float32";
            case F64 -> "float64";
            default -> throw new IllegalStateException(this + " is no dtype of a whole checkpoint");
        };
    }

    /** The dtype that a user named {@code float32}, {@code float16} or {@code bfloat16}. */
    public static DType ofConfigName(String name) {
        return switch (name) {
            case "float16" -> F16;
            case "bfloat16" -> BF16;
            case "float32" -> F32;
            default ->
                    throw new UserError(
                            "dtype "
                                    + Text.quote(name)
                                    + " is unknown; use float32, float16 or bfloat16");
        };
    }
}
