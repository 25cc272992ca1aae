package org.espalier.train.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.SplittableRandom;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.tensor.Tensors;
import org.junit.jupiter.api.Test;

class AdamWTest {
    private static final double DECAY = 0.1;

    @Test
    void stepsAreThoseOfThePublishedAlgorithm() {
        int size = 13;
        int decayed = 5;
        long seed = 29;
        SplittableRandom random = new SplittableRandom(seed);
        double[] weights = random.doubles(size, -1, 1).toArray();
        double[] first = new double[size];
        double[] second = new double[size];
        try (PointerScope scope = new PointerScope()) {
            Tensor tensor = floats(weights);
            AdamW optimiser = new AdamW(tensor, decayed, floats(first), floats(second), DECAY);
            for (int step = 1; step <= 7; step++) {
                double[] gradient = random.doubles(size, -2, 2).toArray();
                double rate = 0.01 * step;
                optimiser.step(floats(gradient), step, rate);
                for (int i = 0; i < size; i++) {
                    first[i] = 0.9 * first[i] + 0.1 * gradient[i];
                    second[i] = 0.95 * second[i] + 0.05 * gradient[i] * gradient[i];
                    double mean = first[i] / (1 - Math.pow(0.9, step));
                    double square = second[i] / (1 - Math.pow(0.95, step));
                    double decay = i < decayed ? DECAY : 0;
                    weights[i] -= rate * (mean / (Math.sqrt(square) + 1e-8) + decay * weights[i]);
                }
            }
            double[] got = Tensors.toDoubles(tensor);
            for (int i = 0; i < size; i++) {
                assertThat(got[i])
                        .as("weight %d, seed %d", i, seed)
                        .isCloseTo(weights[i], within(1e-5));
            }
        }
    }

    @Test
    void aGradientBeyondTheNormIsScaledAndOneWithinIsLeftAlone() {
        try (PointerScope scope = new PointerScope()) {
            Tensor large = Tensors.floats(new float[] {3, 0, -4}, 3);
            assertThat(AdamW.clip(large, 1)).isEqualTo(5);
            assertThat(Tensors.toFloats(large)).containsExactly(0.6f, 0, -0.8f);
            Tensor small = Tensors.floats(new float[] {0.3f, -0.4f}, 2);
            assertThat(AdamW.clip(small, 1)).isCloseTo(0.5, within(1e-7));
            assertThat(Tensors.toFloats(small)).containsExactly(0.3f, -0.4f);
        }
    }

    private static Tensor floats(double[] values) {
        float[] narrow = new float[values.length];
        for (int i = 0; i < narrow.length; i++) {
            narrow[i] = (float) values[i];
        }
        return Tensors.floats(narrow, narrow.length);
    }
}
