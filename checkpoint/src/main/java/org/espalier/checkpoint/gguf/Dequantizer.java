package org.espalier.checkpoint.gguf;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Turns the blocks of ggml's tensor types into float32 (ggml {@code src/ggml-quants.c}, {@code dequantize_row_*}). All
 * arithmetic is float32 in the order of the reference, so that the values are its values to the bit.
 */
public final class Dequantizer {
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private Dequantizer() {}

    /** Turns the block at byte {@code from} of {@code source} into floats from byte {@code to} of {@code target}. */
    @FunctionalInterface
    private interface Block {
        void read(MemorySegment source, long from, MemorySegment target, long to);
    }

    /**
     * Dequantizes whole blocks.
     *
     * @param source blocks of {@code type}, one after another
     * @param target room for one float32 per element, in the order of the machine
     * @throws IllegalArgumentException for a type that is not {@link GgufType#isReadable}, a part of a block, or a
     *     target of another size
     */
    public static void dequantize(GgufType type, MemorySegment source, MemorySegment target) {
        if (source.byteSize() % type.blockBytes() != 0) {
            throw new IllegalArgumentException(
                    source.byteSize() + " bytes are no whole number of blocks of " + type);
        }
        long blocks = source.byteSize() / type.blockBytes();
        long step = 4L * type.blockElements();
        if (target.byteSize() != blocks * step) {
            throw new IllegalArgumentException(
                    target.byteSize() + " bytes do not fit " + blocks + " blocks of " + type);
        }
        Block block = block(type);
        for (long i = 0; i < blocks; i++) {
            block.read(source, i * type.blockBytes(), target, i * step);
        }
    }

    private static Block block(GgufType type) {
        return switch (type) {
            case F32 ->
                    (s, from, t, to) -> t.set(FLOAT, to, Float.intBitsToFloat(s.get(INT, from)));
            case F16 -> (s, from, t, to) -> t.set(FLOAT, to, half(s, from));
            case BF16 ->
                    (s, from, t, to) ->
                            t.set(FLOAT, to, Float.intBitsToFloat(s.get(SHORT, from) << 16));
            case Q8_0 -> Dequantizer::q8;
            case Q4_0 -> Dequantizer::q4;
            case Q5_0 -> Dequantizer::q5;
            case Q5_1 -> Dequantizer::q5WithMinimum;
            case Q4_K -> Dequantizer::q4k;
            case Q5_K -> Dequantizer::q5k;
            case Q6_K -> Dequantizer::q6k;
            default -> throw new IllegalArgumentException(type + " cannot be dequantized");
        };
    }

    /** Scale, then 32 signed bytes. */
    private static void q8(MemorySegment source, long from, MemorySegment target, long to) {
        float scale = half(source, from);
        for (int i = 0; i < 32; i++) {
            target.set(FLOAT, to + 4L * i, scale * source.get(ValueLayout.JAVA_BYTE, from + 2 + i));
        }
    }

    /** Scale, then 16 bytes; low nibbles are the first half of the block, high nibbles the second. */
    private static void q4(MemorySegment source, long from, MemorySegment target, long to) {
        float scale = half(source, from);
        for (int i = 0; i < 16; i++) {
            int both = unsigned(source, from + 2 + i);
            target.set(FLOAT, to + 4L * i, ((both & 15) - 8) * scale);
            target.set(FLOAT, to + 4L * (i + 16), ((both >> 4) - 8) * scale);
        }
    }

    /** Scale, 32 fifth bits, then as {@link #q4}. */
    private static void q5(MemorySegment source, long from, MemorySegment target, long to) {
        float scale = half(source, from);
        int fifth = source.get(INT, from + 2);
        for (int i = 0; i < 16; i++) {
            int both = unsigned(source, from + 6 + i);
            int low = (both & 15) | (((fifth >>> i) & 1) << 4);
            int high = (both >> 4) | (((fifth >>> (i + 16)) & 1) << 4);
            target.set(FLOAT, to + 4L * i, (low - 16) * scale);
            target.set(FLOAT, to + 4L * (i + 16), (high - 16) * scale);
        }
    }

    /** Scale, minimum, 32 fifth bits, nibbles. */
    private static void q5WithMinimum(
            MemorySegment source, long from, MemorySegment target, long to) {
        float scale = half(source, from);
        float minimum = half(source, from + 2);
        int fifth = source.get(INT, from + 4);
        for (int i = 0; i < 16; i++) {
            int both = unsigned(source, from + 8 + i);
            int low = (both & 15) | (((fifth >>> i) & 1) << 4);
            int high = (both >> 4) | (((fifth >>> (i + 16)) & 1) << 4);
            target.set(FLOAT, to + 4L * i, low * scale + minimum);
            target.set(FLOAT, to + 4L * (i + 16), high * scale + minimum);
        }
    }

    /** As {@link #q4k}, with 32 bytes of fifth bits before the nibbles, one bit of each for a group. */
    private static void q5k(MemorySegment source, long from, MemorySegment target, long to) {
        float scale = half(source, from);
        float minimumScale = half(source, from + 2);
        for (int group = 0; group < 8; group++) {
            float groupScale = scale * groupScale(source, from + 4, group);
            float minimum = minimumScale * groupMinimum(source, from + 4, group);
            long nibbles = from + 48 + 32L * (group / 2);
            int shift = 4 * (group % 2);
            for (int i = 0; i < 32; i++) {
                int fifth = (unsigned(source, from + 16 + i) >> group) & 1;
                int code = ((unsigned(source, nibbles + i) >> shift) & 15) | (fifth << 4);
                target.set(FLOAT, to + 4L * (32 * group + i), groupScale * code - minimum);
            }
        }
    }

    /** Scale, scale of the minima, 12 bytes of 6-bit scales and minima, nibbles; eight groups of 32. */
    private static void q4k(MemorySegment source, long from, MemorySegment target, long to) {
        float scale = half(source, from);
        float minimumScale = half(source, from + 2);
        for (int group = 0; group < 8; group++) {
            float groupScale = scale * groupScale(source, from + 4, group);
            float minimum = minimumScale * groupMinimum(source, from + 4, group);
            long nibbles = from + 16 + 32L * (group / 2);
            int shift = 4 * (group % 2);
            for (int i = 0; i < 32; i++) {
                int code = (unsigned(source, nibbles + i) >> shift) & 15;
                target.set(FLOAT, to + 4L * (32 * group + i), groupScale * code - minimum);
            }
        }
    }

    private static int groupScale(MemorySegment source, long packed, int group) {
        if (group < 4) {
            return unsigned(source, packed + group) & 63;
        }
        int low = unsigned(source, packed + group + 4) & 15;
        int high = unsigned(source, packed + group - 4) >> 6;
        return low | (high << 4);
    }

    private static int groupMinimum(MemorySegment source, long packed, int group) {
        if (group < 4) {
            return unsigned(source, packed + group + 4) & 63;
        }
        int low = unsigned(source, packed + group + 4) >> 4;
        int high = unsigned(source, packed + group) >> 6;
        return low | (high << 4);
    }

    /** Low nibbles, upper pairs of bits, signed scales of groups of 16, scale at the end; two halves of 128. */
    private static void q6k(MemorySegment source, long from, MemorySegment target, long to) {
        float scale = half(source, from + 208);
        for (int element = 0; element < 256; element++) {
            int half = element / 128;
            int quarter = element % 128 / 32;
            int lane = element % 32;
            int low = unsigned(source, from + 64L * half + 32L * (quarter % 2) + lane);
            int high = unsigned(source, from + 128 + 32L * half + lane);
            int nibble = (low >> (4 * (quarter / 2))) & 15;
            int upper = (high >> (2 * quarter)) & 3;
            int code = nibble | (upper << 4);
            byte groupScale = source.get(ValueLayout.JAVA_BYTE, from + 192 + element / 16);
            target.set(FLOAT, to + 4L * element, scale * groupScale * (code - 32));
        }
    }

    private static float half(MemorySegment source, long at) {
        return Float.float16ToFloat(source.get(SHORT, at));
    }

    private static int unsigned(MemorySegment source, long at) {
        return Byte.toUnsignedInt(source.get(ValueLayout.JAVA_BYTE, at));
    }
}
