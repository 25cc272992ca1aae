package org.espalier.network;

import java.util.List;

/**
 * Rotary position embedding (arXiv 2104.09864): at position p the pair of channels (i, i + width / 2) is rotated by
 * p * frequency(i), where the width is that of a head or of its first, rotated part.
 *
 * @param theta base of the frequencies, theta^(-2 i / width) before scaling
 * @param scaling how the frequencies are stretched for longer texts
 */
public record Rope(double theta, Scaling scaling) {
    /** A change of the frequencies. */
    public sealed interface Scaling {
        /** The frequency to use instead of {@code frequency}, in radians per token. */
        double scale(double frequency);

        /** The longest text that these frequencies are for; longer ones take {@link #beyond}. */
        default long longest() {
            return Long.MAX_VALUE;
        }

        /** The frequency number {@code pair} for texts of up to {@link #longest} tokens. */
        default double scale(double frequency, int pair) {
            return scale(frequency);
        }

        /** The frequency number {@code pair} for longer texts. */
        default double beyond(double frequency, int pair) {
            return scale(frequency, pair);
        }

        /** What rotated queries and keys are multiplied with. */
        default double magnitude() {
            return 1;
        }
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

    /**
     * YaRN (arXiv 2309.00071): short waves stay, long ones are stretched by {@code factor}, those between are blended.
     *
     * @param factor how much the longest waves are stretched
     * @param low number of the pair of channels up to which waves stay
     * @param high number of the pair from which they are stretched in full; above {@code low}
     * @param magnitude what rotated queries and keys are multiplied with
     */
    public record Yarn(double factor, double low, double high, double magnitude)
            implements Scaling {
        @Override
        public double scale(double frequency) {
            throw new IllegalStateException("how much a wave is stretched depends on its pair");
        }

        @Override
        public double scale(double frequency, int pair) {
            double stretched = Math.clamp((pair - low) / (high - low), 0.0, 1.0);
            return frequency / factor * stretched + frequency * (1 - stretched);
        }

        /** The growth of scores with the stretch: 0.1 * weight * ln(factor) + 1. */
        static double growth(double factor, double weight) {
            return factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1;
        }
    }

    /**
     * LongRoPE (arXiv 2402.13753): each frequency is divided by a factor of its own, of which there are two sets.
     *
     * @param shortFactors for texts of up to {@code originalPositions} tokens, one for each pair of channels
     * @param longFactors for longer texts
     * @param originalPositions number of tokens that the model was trained with before it was stretched
     * @param magnitude what rotated queries and keys are multiplied with, whatever the length of the text
     */
    public record LongRope(
            List<Double> shortFactors,
            List<Double> longFactors,
            long originalPositions,
            double magnitude)
            implements Scaling {
        public LongRope {
            shortFactors = List.copyOf(shortFactors);
            longFactors = List.copyOf(longFactors);
        }

        @Override
        public double scale(double frequency) {
            throw new IllegalStateException("every pair of channels has a factor of its own");
        }

        @Override
        public double scale(double frequency, int pair) {
            return frequency / shortFactors.get(pair);
        }

        @Override
        public double beyond(double frequency, int pair) {
            return frequency / longFactors.get(pair);
        }

        @Override
        public long longest() {
            return originalPositions;
        }
    }

    /** The width / 2 frequencies in radians per token, for texts of up to {@link Scaling#longest} tokens. */
    public double[] frequencies(long width) {
        double[] frequencies = new double[(int) (width / 2)];
        for (int i = 0; i < frequencies.length; i++) {
            frequencies[i] = scaling.scale(Math.pow(theta, -2.0 * i / width), i);
        }
        return frequencies;
    }

    /** The width / 2 frequencies in radians per token, for longer texts. */
    public double[] frequenciesBeyond(long width) {
        double[] frequencies = new double[(int) (width / 2)];
        for (int i = 0; i < frequencies.length; i++) {
            frequencies[i] = scaling.beyond(Math.pow(theta, -2.0 * i / width), i);
        }
        return frequencies;
    }
}
