package org.espalier.checkpoint.gguf;

import java.util.Arrays;

/**
 * Q4_K and Q5_K: 256 elements in eight groups with a 6-bit scale and a 6-bit minimum each. The block holds the scale of
 * the scales, that of the minima, 12 bytes of packed 6-bit numbers, for Q5_K 32 bytes of fifth bits, then 128 bytes of
 * nibbles.
 */
final class ScaleAndMinimumBlocks {
    static final int GROUP = 32;
    private static final int GROUPS = 8;
    private static final int PACKED = 4;
    private static final int MOST_SIX_BITS = 63;

    private final int mostCode;
    private final ScaleAndMinimumFit fit;
    private final int[] codes = new int[GROUPS * GROUP];
    private final float[] weights = new float[GROUP];
    private final float[] scales = new float[GROUPS];
    private final float[] minima = new float[GROUPS];

    ScaleAndMinimumBlocks(int mostCode, float firstStep, int steps) {
        this.mostCode = mostCode;
        this.fit = new ScaleAndMinimumFit(mostCode, firstStep, steps);
    }

    void write(float[] values, byte[] block) {
        float mostScale = 0;
        float mostMinimum = 0;
        for (int group = 0; group < GROUPS; group++) {
            weigh(values, group * GROUP);
            fit.fit(values, group * GROUP, weights, codes);
            scales[group] = fit.scale();
            minima[group] = -fit.minimum();
            mostScale = scales[group] > mostScale ? scales[group] : mostScale;
            mostMinimum = minima[group] > mostMinimum ? minima[group] : mostMinimum;
        }
        Arrays.fill(block, (byte) 0);
        float scaleOfScales = mostScale / MOST_SIX_BITS;
        float scaleOfMinima = mostMinimum / MOST_SIX_BITS;
        Numbers.putHalf(block, 0, scaleOfScales);
        Numbers.putHalf(block, 2, scaleOfMinima);
        float inverseScale = mostScale > 0 ? MOST_SIX_BITS / mostScale : 0;
        float inverseMinimum = mostMinimum > 0 ? MOST_SIX_BITS / mostMinimum : 0;
        for (int group = 0; group < GROUPS; group++) {
            int scale = sixBits(inverseScale * scales[group]);
            int minimum = sixBits(inverseMinimum * minima[group]);
            pack(block, group, scale, minimum);
            recode(
                    values,
                    group * GROUP,
                    Numbers.asHalf(scaleOfScales) * scale,
                    Numbers.asHalf(scaleOfMinima) * minimum);
        }
        boolean fifthBits = mostCode > 15;
        int nibbles = fifthBits ? PACKED + 12 + 32 : PACKED + 12;
        for (int pair = 0; pair < GROUPS / 2; pair++) {
            for (int i = 0; i < GROUP; i++) {
                int low = codes[2 * pair * GROUP + i];
                int high = codes[(2 * pair + 1) * GROUP + i];
                block[nibbles + pair * GROUP + i] = (byte) ((low & 15) | ((high & 15) << 4));
                if (fifthBits) {
                    block[PACKED + 12 + i] |=
                            (byte) (((low >> 4) << (2 * pair)) | ((high >> 4) << (2 * pair + 1)));
                }
            }
        }
    }

    /** Large elements weigh more: root mean square of the group plus their own magnitude. */
    private void weigh(float[] values, int from) {
        float squares = 0;
        for (int i = 0; i < GROUP; i++) {
            squares += values[from + i] * values[from + i];
        }
        float mean = (float) Math.sqrt(squares / GROUP);
        for (int i = 0; i < GROUP; i++) {
            weights[i] = mean + Math.abs(values[from + i]);
        }
    }

    private static int sixBits(float value) {
        return Math.min(MOST_SIX_BITS, Numbers.nearest(value) & 255);
    }

    private static void pack(byte[] block, int group, int scale, int minimum) {
        if (group < 4) {
            block[PACKED + group] = (byte) scale;
            block[PACKED + group + 4] = (byte) minimum;
        } else {
            block[PACKED + group + 4] = (byte) ((scale & 15) | ((minimum & 15) << 4));
            block[PACKED + group - 4] |= (byte) ((scale >> 4) << 6);
            block[PACKED + group] |= (byte) ((minimum >> 4) << 6);
        }
    }

    /** The codes once more, for the scale and minimum as they are stored; a scale of 0 leaves them as they are. */
    private void recode(float[] values, int from, float scale, float minimum) {
        if (scale == 0) {
            return;
        }
        for (int i = from; i < from + GROUP; i++) {
            codes[i] = Numbers.clamp(Numbers.nearest((values[i] + minimum) / scale), 0, mostCode);
        }
    }
}
