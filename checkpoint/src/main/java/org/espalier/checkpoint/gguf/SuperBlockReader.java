package org.espalier.checkpoint.gguf;

import static org.espalier.checkpoint.gguf.BlockBytes.FLOAT;
import static org.espalier.checkpoint.gguf.BlockBytes.INT;
import static org.espalier.checkpoint.gguf.BlockBytes.SHORT;
import static org.espalier.checkpoint.gguf.BlockBytes.half;
import static org.espalier.checkpoint.gguf.BlockBytes.signed;
import static org.espalier.checkpoint.gguf.BlockBytes.unsigned;

import java.lang.foreign.MemorySegment;

/** Reads blocks of 256 elements, whose groups have small scales of their own. */
final class SuperBlockReader {
    private SuperBlockReader() {}

    /**
     * Sixteen bytes with a scale (low nibble) and a minimum (high nibble) for each group of 16, 64 bytes of pairs of
     * bits, scale, scale of the minima. A byte of pairs has elements that are 32 apart, in two halves of 128.
     */
    static void q2(MemorySegment source, long from, MemorySegment target, long to) {
        float scale = half(source, from + 80);
        float minimumScale = half(source, from + 82);
        for (int group = 0; group < 16; group++) {
            int packed = unsigned(source, from + group);
            float groupScale = scale * (packed & 15);
            float minimum = minimumScale * (packed >> 4);
            int shift = group % 8 / 2 * 2;
            long pairs = from + 16 + 32L * (group / 8) + 16L * (group % 2);
            for (int i = 0; i < 16; i++) {
                int code = (unsigned(source, pairs + i) >> shift) & 3;
                target.set(FLOAT, to + 4L * (16 * group + i), groupScale * code - minimum);
            }
        }
    }

    /**
     * 32 bytes of third bits, 64 of pairs of bits as in {@link #q2}, twelve bytes of 6-bit scales, scale. Where the
     * third bit is missing, 4 is taken away.
     */
    static void q3(MemorySegment source, long from, MemorySegment target, long to) {
        float scale = half(source, from + 108);
        for (int group = 0; group < 16; group++) {
            float groupScale = scale * (q3Scale(source, from + 96, group) - 32);
            int shift = group % 8 / 2 * 2;
            int third = group / 2;
            long pairs = from + 32 + 32L * (group / 8) + 16L * (group % 2);
            long thirds = from + 16L * (group % 2);
            for (int i = 0; i < 16; i++) {
                int low = (unsigned(source, pairs + i) >> shift) & 3;
                int high = (unsigned(source, thirds + i) >> third) & 1;
                target.set(FLOAT, to + 4L * (16 * group + i), groupScale * (low - (1 - high) * 4));
            }
        }
    }

    /** Eight bytes of two low nibbles each, four of upper pairs of bits. */
    private static int q3Scale(MemorySegment source, long packed, int group) {
        int low = (unsigned(source, packed + group % 8) >> (4 * (group / 8))) & 15;
        int high = (unsigned(source, packed + 8 + group % 4) >> (2 * (group / 4))) & 3;
        return low | (high << 4);
    }

    /** Scale, scale of the minima, 12 bytes of 6-bit scales and minima, nibbles; eight groups of 32. */
    static void q4(MemorySegment source, long from, MemorySegment target, long to) {
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

    /** As {@link #q4}, with 32 bytes of fifth bits before the nibbles, one bit of each for a group. */
    static void q5(MemorySegment source, long from, MemorySegment target, long to) {
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
    static void q6(MemorySegment source, long from, MemorySegment target, long to) {
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
            byte groupScale = signed(source, from + 192 + element / 16);
            target.set(FLOAT, to + 4L * element, scale * groupScale * (code - 32));
        }
    }

    /** Scale as a float32, 256 signed bytes, then sums of them that only products need. */
    static void q8(MemorySegment source, long from, MemorySegment target, long to) {
        float scale = Float.intBitsToFloat(source.get(INT, from));
        for (int i = 0; i < 256; i++) {
            target.set(FLOAT, to + 4L * i, scale * signed(source, from + 4 + i));
        }
    }

    /** Scale, upper pairs of bits of eight scales, their low nibbles, then blocks as those of IQ4_NL. */
    static void iq4xs(MemorySegment source, long from, MemorySegment target, long to) {
        float scale = half(source, from);
        int upper = Short.toUnsignedInt(source.get(SHORT, from + 2));
        for (int group = 0; group < 8; group++) {
            int low = (unsigned(source, from + 4 + group / 2) >> (4 * (group % 2))) & 15;
            int high = (upper >> (2 * group)) & 3;
            float groupScale = scale * ((low | (high << 4)) - 32);
            SmallBlockReader.uneven(
                    source, from + 8 + 16L * group, groupScale, target, to + 128L * group);
        }
    }
}
