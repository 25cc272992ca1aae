package org.espalier.network;

/**
 * Rotary position embedding (arXiv 2104.09864): at position p the pair of channels (i, i + headDim / 2) is rotated by
 * p * frequency(i).
 *
 * @param theta base of the frequencies, theta^(-2 i / headDim) before scaling
 * @param scaling how the frequencies are stretched for longer texts
 */
public record Rope(double theta, Scaling scaling) {
    /** A change of the frequencies. */
    public sealed interface Scaling {
        /** The frequency to use instead of {@code frequency}, in radians per token. */
        double scale(double frequency);
    }

    /** No change. */
    public record Unscaled() implements Scaling {
        @Override
        public double scale(double frequency) {
            return frequency;
        }
    }

    /**
     * Position interpolation (arXiv 2306.15595).
     *
     * @param factor how many times longer the texts may be
     */
    public record Linear(double factor) implements Scaling {
        @Override
        public double scale(double frequency) {
            return frequency / factor;
        }
    }

    /**
     * Llama 3.1: short waves stay, long ones are stretched by {@code factor}, those between are blended
     * (transformers, {@code _compute_llama3_parameters}).
     *
     * @param factor how much the longest waves are stretched
     * @param lowFrequencyFactor waves longer than originalPositions / lowFrequencyFactor tokens are stretched in full
     * @param highFrequencyFactor waves shorter than originalPositions / highFrequencyFactor tokens are left alone
     * @param originalPositions number of tokens that the model was trained with before it was stretched
     */
    public record Llama3(
            double factor,
            double lowFrequencyFactor,
            double highFrequencyFactor,
            double originalPositions)
            implements Scaling {
        @Override
        public double scale(double frequency) {
            double waves = originalPositions * frequency / (2 * Math.PI);
            if (waves > highFrequencyFactor) {
                return frequency;
            }
            if (waves < lowFrequencyFactor) {
                return frequency / factor;
            }
            double blend =
                    (waves - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor);
            return (1 - blend) * frequency / factor + blend * frequency;
        }
    }

    /** The headDim / 2 frequencies, in radians per token. */
    public double[] frequencies(long headDim) {
        double[] frequencies = new double[(int) (headDim / 2)];
        for (int i = 0; i < frequencies.length; i++) {
            frequencies[i] = scaling.scale(Math.pow(theta, -2.0 * i / headDim));
        }
        return frequencies;
    }
}
