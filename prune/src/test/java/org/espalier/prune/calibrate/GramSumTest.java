package org.espalier.prune.calibrate;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.assertj.core.data.Offset;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.tensor.Tensors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A Gram matrix in a file is that in memory, whatever the panels. */
class GramSumTest {
    private static final long SEED = 11;

    @TempDir Path folder;

    @ParameterizedTest
    @CsvSource({"1, 1", "7, 3", "12, 4", "33, 32", "64, 100"})
    void theFileHoldsWhatMemoryHolds(int columns, int panel) {
        Random random = new Random(SEED);
        try (PointerScope scope = new PointerScope();
                ScratchFile file = new ScratchFile(folder.resolve("gram"));
                GramSum memory = new GramSum(columns, panel, null, 0);
                GramSum disk = new GramSum(columns, panel, file, 40);
                GramSum other =
                        new GramSum(columns, panel, file, 40 + GramSum.fileBytes(columns, panel))) {
            double[] expected = new double[columns * columns];
            for (int tokens : new int[] {5, 1, 29}) {
                float[] values = new float[tokens * columns];
                for (int i = 0; i < values.length; i++) {
                    values[i] = (float) random.nextGaussian();
                }
                for (int token = 0; token < tokens; token++) {
                    for (int row = 0; row < columns; row++) {
                        for (int column = 0; column < columns; column++) {
                            expected[row * columns + column] +=
                                    (double) values[token * columns + row]
                                            * values[token * columns + column];
                        }
                    }
                }
                Tensor input = Tensors.floats(values, tokens, columns);
                memory.add(input);
                disk.add(input);
            }
            float[] sum = Tensors.toFloats(memory.inMemory());
            for (int i = 0; i < sum.length; i++) {
                assertThat((double) sum[i]).isCloseTo(expected[i], Offset.offset(1e-4));
            }
            assertThat(memory.inMemory().equal(memory.inMemory().t())).as("symmetric").isTrue();
            assertThat(Tensors.toFloats(disk.read())).isEqualTo(sum);
            assertThat(Tensors.toFloats(disk.diagonal()))
                    .isEqualTo(Tensors.toFloats(memory.diagonal()))
                    .isEqualTo(Tensors.toFloats(memory.inMemory().diagonal()));
            assertThat(Tensors.toFloats(other.read())).containsOnly(0);
        }
        assertThat(folder).isEmptyDirectory();
    }

    /** One value beyond float32 in a late batch, in the last panel. */
    @Test
    void whatIsNotFiniteIsKnownWithoutReading() {
        try (PointerScope scope = new PointerScope();
                ScratchFile file = new ScratchFile(folder.resolve("gram"));
                GramSum memory = new GramSum(10, 4, null, 0);
                GramSum disk = new GramSum(10, 4, file, 0)) {
            for (GramSum sum : List.of(memory, disk)) {
                assertThat(GramSum.fileBytes(10, 4)).isEqualTo(4 * (4 * 10 + 4 * 6 + 2 * 2));
                for (float last : new float[] {1, 2e19f, 1}) {
                    float[] values = new float[20];
                    Arrays.fill(values, 1);
                    values[19] = last;
                    sum.add(Tensors.floats(values, 2, 10));
                }
                assertThat(sum.isFinite()).isFalse();
                assertThat(Tensors.toFloats(sum.read())[99]).isInfinite();
            }
            GramSum fine = new GramSum(10, 4, file, 0);
            fine.add(Tensors.floats(new float[10], 1, 10));
            assertThat(fine.isFinite()).isTrue();
            fine.close();
        }
    }

    @Test
    void panelsBoundWhatIsInMemory() {
        assertThat(GramSum.panelBytes(100)).isEqualTo(GramSum.bytes(100));
        assertThat(GramSum.panelBytes(11_008)).isEqualTo(4L * 2048 * 11_008);
    }
}
