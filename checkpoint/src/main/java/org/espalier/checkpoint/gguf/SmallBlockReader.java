package org.espalier.checkpoint.gguf;

import static org.espalier.checkpoint.gguf.BlockBytes.FLOAT;
import static org.espalier.checkpoint.gguf.BlockBytes.INT;
import static org.espalier.checkpoint.gguf.BlockBytes.half;
import static org.espalier.checkpoint.gguf.BlockBytes.signed;
import static org.espalier.checkpoint.gguf.BlockBytes.unsigned;

import java.lang.foreign.MemorySegment;

/** Reads blocks of 32 elements. Of a byte of nibbles the low one is of the first half of the block. */
final class SmallBlockReader {
    /** 2^-128, the smallest scale of MXFP4: below the normal range, where a float32 has no implied leading bit. */
    private static final int BITS_OF_SMALLEST_SCALE = 0x00200000;

    /** The sixteen values of IQ4_NL and IQ4_XS, denser about zero (ggml {@code kvalues_iq4nl}). */
    private static final byte[] UNEVEN = {
        -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113
    };

    /** What four bits of sign, exponent, exponent and fraction (E2M1) are, doubled. */
    private static final byte[] DOUBLED_E2M1 = {
        0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12
    };

    private SmallBlockReader() {}

    /** Scale, then 32 signed bytes. */
    static void q8(MemorySegment source, long from, MemorySegment target, long to) {
        float scale = half(source, from);
        for (int i = 0; i < 32; i++) {
            target.set(FLOAT, to + 4L * i, scale * signed(source, from + 2 + i));
        }
    }

    /** Scale, then 16 bytes; low nibbles are the first half of the block, high nibbles the second. */
    static void q4(MemorySegment source, long from, MemorySegment target, long to) {
        float scale = half(source, from);
        for (int i = 0; i < 16; i++) {
            int both = unsigned(source, from + 2 + i);
            target.set(FLOAT, to + 4L * i, ((both & 15) - 8) * scale);
            target.set(FLOAT, to + 4L * (i + 16), ((both >> 4) - 8) * scale);
        }
    }

    /** Scale, minimum, nibbles. */
    static void q4WithMinimum(MemorySegment source, long from, MemorySegment target, long to) {
        float scale = half(source, from);
        float minimum = half(source, from + 2);
        for (int i = 0; i < 16; i++) {
            int both = unsigned(source, from + 4 + i);
            target.set(FLOAT, to + 4L * i, (both & 15) * scale + minimum);
            target.set(FLOAT, to + 4L * (i + 16), (both >> 4) * scale + minimum);
        }
    }

    /** Scale, 32 fifth bits, then as {@link #q4}. */
    static void q5(MemorySegment source, long from, MemorySegment target, long to) {
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
    static void q5WithMinimum(MemorySegment source, long from, MemorySegment target, long to) {
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

    /** Scale, nibbles that point into {@link #UNEVEN}. */
    static void iq4nl(MemorySegment source, long from, MemorySegment target, long to) {
        uneven(source, from + 2, half(source, from), target, to);
    }

    /** Sixteen bytes of nibbles that point into {@link #UNEVEN}. */
    static void uneven(
            MemorySegment source, long from, float scale, MemorySegment target, long to) {
        pointed(UNEVEN, source, from, scale, target, to);
    }

    /**
     * A power of two as a byte, nibbles that are floats of four bits (OCP Microscaling 1.0). ggml halves the power and
     * doubles the floats; for the byte 255, which the standard calls no number, it has 2^127.
     */
    static void mxfp4(MemorySegment source, long from, MemorySegment target, long to) {
        int exponent = unsigned(source, from);
        int bits = exponent < 2 ? BITS_OF_SMALLEST_SCALE << exponent : (exponent - 1) << 23;
        pointed(DOUBLED_E2M1, source, from + 1, Float.intBitsToFloat(bits), target, to);
    }

    private static void pointed(
            byte[] values,
            MemorySegment source,
            long from,
            float scale,
            MemorySegment target,
            long to) {
        for (int i = 0; i < 16; i++) {
            int both = unsigned(source, from + i);
            target.set(FLOAT, to + 4L * i, scale * values[both & 15]);
            target.set(FLOAT, to + 4L * (i + 16), scale * values[both >> 4]);
        }
    }
}
