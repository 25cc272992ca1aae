package org.espalier.checkpoint.gguf;

/** The small arithmetic that all quantizers share. */
final class Numbers {
    /** 1.5 * 2^23: adding it leaves no fraction in a float32, so the addition rounds, ties to even. */
    private static final float ROUNDER = 12582912f;

    /** Groups whose largest element is below this are zero. */
    static final float SMALLEST_GROUP = 1e-15f;

    private Numbers() {}

    /** The nearest integer, ties to even, of a value below 2^22 in magnitude. */
    static int nearest(float value) {
        return (Float.floatToRawIntBits(value + ROUNDER) & 0x007FFFFF) - 0x00400000;
    }

    static int clamp(int value, int least, int most) {
        return Math.max(least, Math.min(most, value));
    }

    /** Stores the nearest half, little-endian. */
    static void putHalf(byte[] block, int at, float value) {
        short half = Float.floatToFloat16(value);
        block[at] = (byte) half;
        block[at + 1] = (byte) (half >> 8);
    }

    /** What a value is after it was stored as a half. */
    static float asHalf(float value) {
        return Float.float16ToFloat(Float.floatToFloat16(value));
    }

    /** The first element of largest magnitude, with its sign. */
    static float extreme(float[] values, int from, int count) {
        float largest = 0;
        float extreme = 0;
        for (int i = from; i < from + count; i++) {
            if (Math.abs(values[i]) > largest) {
                largest = Math.abs(values[i]);
                extreme = values[i];
            }
        }
        return extreme;
    }
}
