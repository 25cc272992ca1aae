package org.espalier.checkpoint;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The bitmask form of a matrix: one bit for each element, row after row, lowest bit first, rows padded with zero bits to
 * whole bytes; and the elements whose bit is set, in the same order. Only elements whose bits are all zero are left out,
 * so -0.0 and every NaN keep theirs.
 */
final class Bitmask {
    private static final ValueLayout.OfShort TWO = ValueLayout.JAVA_SHORT_UNALIGNED;
    private static final ValueLayout.OfInt FOUR = ValueLayout.JAVA_INT_UNALIGNED;
    private static final ValueLayout.OfLong EIGHT = ValueLayout.JAVA_LONG_UNALIGNED;

    private Bitmask() {}

    /** Bytes of one row of the mask. */
    static long rowBytes(long columns) {
        return columns / 8 + (columns % 8 == 0 ? 0 : 1);
    }

    /** Number of elements that are kept. */
    static long kept(MemorySegment dense, int elementBytes) {
        long kept = 0;
        for (long i = 0; i < dense.byteSize() / elementBytes; i++) {
            kept += isZero(dense, i, elementBytes) ? 0 : 1;
        }
        return kept;
    }

    /**
     * Takes a matrix apart.
     *
     * @param dense rows * columns elements
     * @param mask rows * {@link #rowBytes} zeros, to be filled
     * @param values room for the {@link #kept} elements, to be filled
     */
    static void pack(
            MemorySegment dense,
            int elementBytes,
            long columns,
            MemorySegment mask,
            MemorySegment values) {
        long rowBytes = rowBytes(columns);
        long rows = dense.byteSize() / elementBytes / columns;
        long next = 0;
        for (long row = 0; row < rows; row++) {
            for (long column = 0; column < columns; column++) {
                long from = row * columns + column;
                if (isZero(dense, from, elementBytes)) {
                    continue;
                }
                long at = row * rowBytes + column / 8;
                int bits = mask.get(ValueLayout.JAVA_BYTE, at) | 1 << (column % 8);
                mask.set(ValueLayout.JAVA_BYTE, at, (byte) bits);
                copy(dense, from, values, next++, elementBytes);
            }
        }
    }

    /** Number of bits that are set. */
    static long population(MemorySegment mask) {
        long bits = 0;
        long at = 0;
        for (; at + 8 <= mask.byteSize(); at += 8) {
            bits += Long.bitCount(mask.get(EIGHT, at));
        }
        for (; at < mask.byteSize(); at++) {
            bits += Integer.bitCount(mask.get(ValueLayout.JAVA_BYTE, at) & 0xff);
        }
        return bits;
    }

    /** Whether a padding bit is set, which stands for no element. */
    static boolean hasStrayBits(MemorySegment mask, long columns) {
        if (columns % 8 == 0) {
            return false;
        }
        long rowBytes = rowBytes(columns);
        for (long last = rowBytes - 1; last < mask.byteSize(); last += rowBytes) {
            if ((mask.get(ValueLayout.JAVA_BYTE, last) & 0xff) >>> columns % 8 != 0) {
                return true;
            }
        }
        return false;
    }

    /**
     * Puts a matrix together again.
     *
     * @param mask without stray bits, as many of them set as there are values
     * @param dense zeros, to be filled
     */
    static void unpack(
            MemorySegment mask,
            MemorySegment values,
            int elementBytes,
            long columns,
            MemorySegment dense) {
        long rowBytes = rowBytes(columns);
        long next = 0;
        for (long at = 0; at < mask.byteSize(); at++) {
            long first = at / rowBytes * columns + at % rowBytes * 8;
            int bits = mask.get(ValueLayout.JAVA_BYTE, at) & 0xff;
            for (; bits != 0; bits &= bits - 1) {
                long to = first + Integer.numberOfTrailingZeros(bits);
                copy(values, next++, dense, to, elementBytes);
            }
        }
    }

    private static boolean isZero(MemorySegment elements, long index, int elementBytes) {
        return switch (elementBytes) {
            case 1 -> elements.get(ValueLayout.JAVA_BYTE, index) == 0;
            case 2 -> elements.get(TWO, 2 * index) == 0;
            case 4 -> elements.get(FOUR, 4 * index) == 0;
            case 8 -> elements.get(EIGHT, 8 * index) == 0;
            default -> throw new IllegalArgumentException("elements of " + elementBytes + " bytes");
        };
    }

    private static void copy(
            MemorySegment source, long from, MemorySegment target, long to, int elementBytes) {
        switch (elementBytes) {
            case 1 ->
                    target.set(ValueLayout.JAVA_BYTE, to, source.get(ValueLayout.JAVA_BYTE, from));
            case 2 -> target.set(TWO, 2 * to, source.get(TWO, 2 * from));
            case 4 -> target.set(FOUR, 4 * to, source.get(FOUR, 4 * from));
            case 8 -> target.set(EIGHT, 8 * to, source.get(EIGHT, 8 * from));
            default -> throw new IllegalArgumentException("elements of " + elementBytes + " bytes");
        }
    }
}
