package org.espalier.checkpoint.gguf;

import static org.espalier.checkpoint.gguf.BlockBytes.FLOAT;
import static org.espalier.checkpoint.gguf.BlockBytes.half;
import static org.espalier.checkpoint.gguf.BlockBytes.unsigned;

import java.lang.foreign.MemorySegment;

/** Reads blocks of 256 elements that are -1, 0 or 1 times a scale at the end of the block. */
final class TernaryBlockReader {
    private static final int[] POWERS_OF_3 = {1, 3, 9, 27, 81};

    private TernaryBlockReader() {}

    /** 64 bytes of pairs of bits; a byte has elements that are 32 apart, in two halves of 128. */
    static void tq2(MemorySegment source, long from, MemorySegment target, long to) {
        float scale = half(source, from + 64);
        for (int element = 0; element < 256; element++) {
            int shift = element % 128 / 32 * 2;
            int pairs = unsigned(source, from + 32L * (element / 128) + element % 32);
            int digit = (pairs >> shift) & 3;
            target.set(FLOAT, to + 4L * element, (digit - 1) * scale);
        }
    }

    /**
     * 48 bytes of five digits to the base of 3 and four bytes of four. A byte is its digits as a fraction of 256, so
     * that times a power of 3 the next digit comes out at the top. The first 32 bytes have the first 160 elements, the
     * next 16 another 80, the last four the rest.
     */
    static void tq1(MemorySegment source, long from, MemorySegment target, long to) {
        float scale = half(source, from + 52);
        long next = digits(source, from, 32, 5, scale, target, to);
        next = digits(source, from + 32, 16, 5, scale, target, next);
        digits(source, from + 48, 4, 4, scale, target, next);
    }

    private static long digits(
            MemorySegment source,
            long from,
            int bytes,
            int digits,
            float scale,
            MemorySegment target,
            long to) {
        long next = to;
        for (int digit = 0; digit < digits; digit++) {
            for (int i = 0; i < bytes; i++) {
                int rest = (unsigned(source, from + i) * POWERS_OF_3[digit]) & 255;
                target.set(FLOAT, next, (((rest * 3) >> 8) - 1) * scale);
                next += Float.BYTES;
            }
        }
        return next;
    }
}
