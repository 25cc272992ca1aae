package org.espalier.prune.solve.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.espalier.core.UserError;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KernelsTest {
    private final Kernels scalar = new ScalarKernels();
    private final Kernels vector = new VectorKernels();

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 127, 128, 129})
    void vectorSweepsAsScalarDoesToTheBitAtAwkwardWidths(int columns) {
        Random random = new Random(columns);
        float[] factor = upper(random, columns);
        for (int strip : new int[] {1, 3, 4, 8}) {
            float[] tile = normal(random, columns * Kernels.ROWS);
            boolean[] gone = new boolean[tile.length];
            for (int index = 0; index < gone.length; index++) {
                gone[index] = random.nextBoolean();
            }
            float[] one = tile.clone();
            float[] other = tile.clone();
            sweep(scalar, one, factor, columns, strip, gone);
            sweep(vector, other, factor, columns, strip, gone);
            assertThat(other).isEqualTo(one);
            for (int index = 0; index < gone.length; index++) {
                if (gone[index]) {
                    assertThat(Float.floatToRawIntBits(other[index])).isZero();
                }
            }
        }
    }

    /** What the tile's rows go through must be what the paper's column-by-column formula gives in float64. */
    @ParameterizedTest
    @ValueSource(ints = {1, 5, 16, 24})
    void theSweepIsTheFormula(int columns) {
        Random random = new Random(columns);
        float[] factor = upper(random, columns);
        float[] tile = normal(random, columns * Kernels.ROWS);
        boolean[] gone = new boolean[tile.length];
        double[] expected = new double[tile.length];
        for (int index = 0; index < gone.length; index++) {
            gone[index] = random.nextInt(3) == 0;
            expected[index] = tile[index];
        }
        for (int row = 0; row < Kernels.ROWS; row++) {
            for (int column = 0; column < columns; column++) {
                int at = column * Kernels.ROWS + row;
                if (gone[at]) {
                    double error = expected[at] / factor[column * columns + column];
                    for (int later = column; later < columns; later++) {
                        expected[later * Kernels.ROWS + row] -=
                                error * factor[column * columns + later];
                    }
                }
            }
        }
        sweep(vector, tile, factor, columns, Kernels.STRIP, gone);
        for (int index = 0; index < tile.length; index++) {
            assertThat((double) tile[index]).isCloseTo(expected[index], within(1e-4));
        }
    }

    private static void sweep(
            Kernels kernels, float[] tile, float[] factor, int columns, int strip, boolean[] gone) {
        float[] errors = new float[Kernels.STRIP * Kernels.ROWS];
        for (int from = 0; from < columns; from += strip) {
            int to = Math.min(columns, from + strip);
            int middle = (from + to) / 2;
            kernels.visit(tile, factor, columns, from, middle, to, gone, errors, 0);
            int offset = (middle - from) * Kernels.ROWS;
            kernels.visit(tile, factor, columns, middle, to, to, gone, errors, offset);
            kernels.spread(tile, factor, columns, from, to, to, errors, 0);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 8, 16, 32})
    void vectorChoosesAsScalarDoesTiesIncluded(int size) {
        Random random = new Random(size);
        int columns = 2 * size;
        float[] tile = new float[columns * Kernels.ROWS];
        float[] squares = new float[columns];
        for (int index = 0; index < tile.length; index++) {
            tile[index] = random.nextInt(5) - 2;
        }
        for (int column = 0; column < columns; column++) {
            squares[column] = 1 + random.nextInt(2);
        }
        for (int removed = 0; removed <= size; removed++) {
            boolean[] one = new boolean[tile.length];
            boolean[] other = new boolean[tile.length];
            scalar.choose(tile, squares, size, size, removed, one);
            vector.choose(tile, squares, size, size, removed, other);
            assertThat(other).isEqualTo(one);
            for (int row = 0; row < Kernels.ROWS; row++) {
                int count = 0;
                for (int column = size; column < columns; column++) {
                    count += one[column * Kernels.ROWS + row] ? 1 : 0;
                }
                assertThat(count).isEqualTo(removed);
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
