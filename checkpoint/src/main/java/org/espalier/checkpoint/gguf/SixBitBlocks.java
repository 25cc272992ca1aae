package org.espalier.checkpoint.gguf;

import java.util.Arrays;

/**
 * Q6_K: 256 elements in sixteen groups with a signed 8-bit scale each. The block holds 128 bytes of low nibbles, 64 of
 * upper pairs of bits, the scales, and the scale of the scales.
 */
final class SixBitBlocks {
    private static final int GROUP = 16;
    private static final int GROUPS = 16;
    private static final int UPPER = 128;
    private static final int SCALES = 192;
    private static final int SCALE = 208;
    private static final int OFFSET = 32;

    private final int[] codes = new int[GROUPS * GROUP];
    private final float[] scales = new float[GROUPS];

    void write(float[] values, byte[] block) {
        Arrays.fill(block, (byte) 0);
        float largest = 0;
        for (int group = 0; group < GROUPS; group++) {
            scales[group] = fit(values, group * GROUP);
            if (Math.abs(scales[group]) > Math.abs(largest)) {
                largest = scales[group];
            }
        }
        if (Math.abs(largest) < Numbers.SMALLEST_GROUP) {
            return;
        }
        float inverse = -128f / largest;
        float scaleOfScales = 1 / inverse;
        Numbers.putHalf(block, SCALE, scaleOfScales);
        for (int group = 0; group < GROUPS; group++) {
            int scale = Math.min(127, Numbers.nearest(inverse * scales[group]));
            block[SCALES + group] = (byte) scale;
            recode(values, group * GROUP, Numbers.asHalf(scaleOfScales) * (byte) scale);
        }
        pack(block);
    }

    /**
     * The scale of a group, by least squares that weigh each element with its square, the best of 19 trials (ggml's
     * {@code make_qx_quants}); the codes are set along with it.
     */
    private float fit(float[] values, int from) {
        float extreme = Numbers.extreme(values, from, GROUP);
        if (Math.abs(extreme) < Numbers.SMALLEST_GROUP) {
            Arrays.fill(codes, from, from + GROUP, 0);
            return 0;
        }
        float scale = 0;
        float best = 0;
        // The plain scale first, then nine smaller and nine larger ones.
        for (int trial = 0; trial < 19; trial++) {
            int step = trial == 0 ? 0 : trial <= 9 ? trial - 10 : trial - 9;
            float inverse = step == 0 ? -OFFSET / extreme : -(OFFSET + 0.1f * step) / extreme;
            float sumXl = 0;
            float sumL2 = 0;
            for (int i = from; i < from + GROUP; i++) {
                int l = code(inverse * values[i]);
                float weight = values[i] * values[i];
                sumXl += weight * values[i] * l;
                sumL2 += weight * l * l;
            }
            boolean first = trial == 0;
            if (first || (sumL2 > 0 && sumXl * sumXl > best * sumL2)) {
                scale = sumL2 == 0 ? 0 : sumXl / sumL2;
                best = scale * sumXl;
                for (int i = from; i < from + GROUP; i++) {
                    codes[i] = code(inverse * values[i]) + OFFSET;
                }
            }
        }
        return scale;
    }

    private void recode(float[] values, int from, float scale) {
        if (scale == 0) {
            return;
        }
        for (int i = from; i < from + GROUP; i++) {
            codes[i] = code(values[i] / scale) + OFFSET;
        }
    }

    private static int code(float value) {
        return Numbers.clamp(Numbers.nearest(value), -OFFSET, OFFSET - 1);
    }

    private void pack(byte[] block) {
        for (int half = 0; half < 2; half++) {
            for (int i = 0; i < 32; i++) {
                int at = 128 * half + i;
                int a = codes[at];
                int b = codes[at + 32];
                int c = codes[at + 64];
                int d = codes[at + 96];
                block[64 * half + i] = (byte) ((a & 15) | ((c & 15) << 4));
                block[64 * half + 32 + i] = (byte) ((b & 15) | ((d & 15) << 4));
                block[UPPER + 32 * half + i] =
                        (byte) ((a >> 4) | ((b >> 4) << 2) | ((c >> 4) << 4) | ((d >> 4) << 6));
            }
        }
    }
}
