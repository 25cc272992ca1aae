package org.espalier.checkpoint.gguf;

/** Blocks of 32 elements with one scale, and perhaps one minimum. */
final class SmallBlocks {
    private static final int HALF = 16;

    private SmallBlocks() {}

    /** Q8_0: scale, then 32 signed bytes. */
    static void q8(float[] values, byte[] block) {
        float scale = Math.abs(Numbers.extreme(values, 0, values.length)) / 127;
        float inverse = inverse(scale);
        Numbers.putHalf(block, 0, scale);
        for (int i = 0; i < values.length; i++) {
            block[2 + i] = (byte) awayFromZero(values[i] * inverse);
        }
    }

    /** Q4_0: scale, then 16 bytes; low nibbles are the first half of the block, high nibbles the second. */
    static void q4(float[] values, byte[] block) {
        float scale = Numbers.extreme(values, 0, values.length) / -8;
        float inverse = inverse(scale);
        Numbers.putHalf(block, 0, scale);
        for (int i = 0; i < HALF; i++) {
            int low = Math.min(15, (int) (values[i] * inverse + 8.5f));
            int high = Math.min(15, (int) (values[i + HALF] * inverse + 8.5f));
            block[2 + i] = (byte) (low | (high << 4));
        }
    }

    /** Q5_0: scale, 32 fifth bits, 16 bytes of nibbles. */
    static void q5(float[] values, byte[] block) {
        float scale = Numbers.extreme(values, 0, values.length) / -16;
        float inverse = inverse(scale);
        Numbers.putHalf(block, 0, scale);
        int fifth = 0;
        for (int i = 0; i < HALF; i++) {
            int low = Math.min(31, (int) (values[i] * inverse + 16.5f));
            int high = Math.min(31, (int) (values[i + HALF] * inverse + 16.5f));
            block[6 + i] = (byte) ((low & 15) | ((high & 15) << 4));
            fifth |= ((low >> 4) << i) | ((high >> 4) << (i + HALF));
        }
        putInt(block, 2, fifth);
    }

    /** Q5_1: scale, minimum, 32 fifth bits, 16 bytes of nibbles. */
    static void q5WithMinimum(float[] values, byte[] block) {
        float least = Float.MAX_VALUE;
        float most = -Float.MAX_VALUE;
        for (float value : values) {
            least = value < least ? value : least;
            most = value > most ? value : most;
        }
        float scale = (most - least) / 31;
        float inverse = inverse(scale);
        Numbers.putHalf(block, 0, scale);
        Numbers.putHalf(block, 2, least);
        int fifth = 0;
        for (int i = 0; i < HALF; i++) {
            int low = (int) ((values[i] - least) * inverse + 0.5f);
            int high = (int) ((values[i + HALF] - least) * inverse + 0.5f);
            block[8 + i] = (byte) ((low & 15) | ((high & 15) << 4));
            fifth |= (((low & 16) >> 4) << i) | (((high & 16) >> 4) << (i + HALF));
        }
        putInt(block, 4, fifth);
    }

    private static float inverse(float scale) {
        return scale == 0 ? 0 : 1 / scale;
    }

    /** The nearest integer of a value below 128 in magnitude; halves go away from zero, as C's roundf. */
    private static int awayFromZero(float value) {
        // In double the sum is exact, where float32 would round 0.49999997 + 0.5 up.
        return (int) (value < 0 ? value - 0.5 : value + 0.5);
    }

    private static void putInt(byte[] block, int at, int value) {
        for (int i = 0; i < 4; i++) {
            block[at + i] = (byte) (value >> (8 * i));
        }
    }
}
