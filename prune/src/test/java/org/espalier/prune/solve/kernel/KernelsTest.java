package org.espalier.prune.solve.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import org.espalier.core.UserError;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KernelsTest {
    private final Kernels scalar = new ScalarKernels();
    private final Kernels vector = new VectorKernels();

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 64, 100, 127, 128, 129})
    void vectorAgreesWithScalarToTheBitAtAwkwardWidths(int columns) {
        Random random = new Random(columns);
        float[] factor = upper(random, columns);
        for (int group : new int[] {1, 3, 4, 8, columns}) {
            int start = random.nextInt(4) * columns;
            int length = start + columns + 3;
            float[] weights = normal(random, length);
            byte[] keep = new byte[length];
            for (int column = 0; column < length; column++) {
                keep[column] = (byte) random.nextInt(2);
            }
            float[] one = weights.clone();
            float[] other = weights.clone();
            float[] oneErrors = new float[length];
            float[] otherErrors = new float[length];
            for (int from = 0; from < columns; from += group) {
                int to = Math.min(columns, from + group);
                scalar.sweep(one, start, factor, columns, from, to, keep, oneErrors);
                vector.sweep(other, start, factor, columns, from, to, keep, otherErrors);
            }
            assertThat(other).isEqualTo(one);
            assertThat(otherErrors).isEqualTo(oneErrors);
            for (int column = 0; column < columns; column++) {
                if (keep[start + column] == 0) {
                    assertThat(Float.floatToRawIntBits(other[start + column])).isZero();
                }
            }
            for (int outside = 0; outside < length; outside++) {
                if (outside < start || outside >= start + columns) {
                    assertThat(other[outside]).isEqualTo(weights[outside]);
                }
            }
        }
    }

    @Test
    void onePropertyForcesEitherAndNothingElse() {
        assertThat(Kernels.named("scalar").name()).isEqualTo("scalar");
        assertThat(Kernels.named("vector").name()).isEqualTo("vector");
        assertThat(Kernels.named(null).name()).isEqualTo("vector");
        assertThatThrownBy(() -> Kernels.named("fast"))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("fast");
    }

    private static float[] upper(Random random, int columns) {
        float[] factor = new float[columns * columns];
        for (int row = 0; row < columns; row++) {
            for (int column = row; column < columns; column++) {
                factor[row * columns + column] =
                        row == column
                                ? 0.5f + random.nextFloat()
                                : (float) random.nextGaussian() * 0.1f;
            }
        }
        return factor;
    }

    private static float[] normal(Random random, int columns) {
        float[] values = new float[columns];
        for (int column = 0; column < columns; column++) {
            values[column] = (float) random.nextGaussian();
        }
        return values;
    }
}
