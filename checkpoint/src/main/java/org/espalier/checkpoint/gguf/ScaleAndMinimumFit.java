package org.espalier.checkpoint.gguf;

/**
 * The best scale and minimum of a group: {@code value = scale * code + minimum}, codes from 0, least weighted squares
 * among a row of trials (ggml's {@code make_qkx2_quants}). A minimum that a trial has found serves the trials after it.
 */
final class ScaleAndMinimumFit {
    private final int mostCode;
    private final float firstStep;
    private final int steps;
    private final int[] trial = new int[ScaleAndMinimumBlocks.GROUP];

    private float scale;
    private float minimum;

    /**
     * Fits groups of 32.
     *
     * @param mostCode the largest code
     * @param firstStep what the first trial adds to the largest code; each one after it adds 0.1 more
     * @param steps number of trials after the first
     */
    ScaleAndMinimumFit(int mostCode, float firstStep, int steps) {
        this.mostCode = mostCode;
        this.firstStep = firstStep;
        this.steps = steps;
    }

    /** The scale that was found, not below 0. */
    float scale() {
        return scale;
    }

    /** The minimum that was found, not above 0. */
    float minimum() {
        return minimum;
    }

    /**
     * Fits one group.
     *
     * @param from where the group begins in {@code values} and {@code codes}
     * @param weights importance of each element of the group
     * @param codes where the codes go
     */
    void fit(float[] values, int from, float[] weights, int[] codes) {
        int count = weights.length;
        float least = values[from];
        float most = values[from];
        float sumW = weights[0];
        float sumX = sumW * values[from];
        for (int i = 1; i < count; i++) {
            float x = values[from + i];
            least = x < least ? x : least;
            most = x > most ? x : most;
            sumW += weights[i];
            sumX += weights[i] * x;
        }
        minimum = least > 0 ? 0 : least;
        scale = 0;
        if (most == minimum) {
            java.util.Arrays.fill(codes, from, from + count, 0);
            return;
        }
        float inverse = mostCode / (most - minimum);
        scale = 1 / inverse;
        float best = 0;
        for (int i = 0; i < count; i++) {
            codes[from + i] = code(inverse, values[from + i]);
            float difference = scale * codes[from + i] + minimum - values[from + i];
            best += weights[i] * (difference * difference);
        }
        for (int step = 0; step <= steps; step++) {
            inverse = (firstStep + 0.1f * step + mostCode) / (most - minimum);
            float sumL = 0;
            float sumL2 = 0;
            float sumXl = 0;
            for (int i = 0; i < count; i++) {
                float x = values[from + i];
                int l = code(inverse, x);
                trial[i] = l;
                sumL += weights[i] * l;
                sumL2 += weights[i] * l * l;
                sumXl += weights[i] * l * x;
            }
            float determinant = sumW * sumL2 - sumL * sumL;
            if (!(determinant > 0)) {
                continue;
            }
            float trialScale = (sumW * sumXl - sumX * sumL) / determinant;
            float trialMinimum = (sumL2 * sumX - sumL * sumXl) / determinant;
            if (trialMinimum > 0) {
                trialMinimum = 0;
                trialScale = sumXl / sumL2;
            }
            float error = 0;
            for (int i = 0; i < count; i++) {
                float difference = trialScale * trial[i] + trialMinimum - values[from + i];
                error += weights[i] * (difference * difference);
            }
            if (error < best) {
                System.arraycopy(trial, 0, codes, from, count);
                best = error;
                scale = trialScale;
                minimum = trialMinimum;
            }
        }
    }

    private int code(float inverse, float value) {
        return Numbers.clamp(Numbers.nearest(inverse * (value - minimum)), 0, mostCode);
    }
}
