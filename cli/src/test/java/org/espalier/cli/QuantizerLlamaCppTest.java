package org.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.espalier.checkpoint.gguf.Dequantizer;
import org.espalier.checkpoint.gguf.GgufType;
import org.espalier.checkpoint.gguf.Quantizer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Our quantizers against those of ggml itself, byte for byte. */
class QuantizerLlamaCppTest {
    private static final int ROWS = 40;
    private static final int COLUMNS = 512;
    private static final long SEED = 20261125;

    @ParameterizedTest
    @EnumSource(names = {"Q8_0", "Q4_0", "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K"})
    void bytesAreThoseOfTheReference(GgufType type) {
        float[] values = values();
        byte[] theirs = LlamaLibrary.quantize(type, values, ROWS);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment ours = arena.allocate(theirs.length);
            MemorySegment source = arena.allocateFrom(ValueLayout.JAVA_FLOAT, values);
            Quantizer.quantize(type, source, ours);
            assertThat(differing(type, ours.toArray(ValueLayout.JAVA_BYTE), theirs))
                    .as("blocks that differ, seed %d", SEED)
                    .isEmpty();
            MemorySegment back = arena.allocate(4L * values.length);
            Dequantizer.dequantize(type, ours, back);
            float[] dequantized = LlamaLibrary.dequantize(type, theirs, values.length);
            assertThat(Arrays.mismatch(back.toArray(ValueLayout.JAVA_FLOAT), dequantized))
                    .as("first element that is not what ggml reads")
                    .isEqualTo(-1);
        }
    }

    /** The numbers of the blocks that are not the same. */
    private static List<Integer> differing(GgufType type, byte[] ours, byte[] theirs) {
        int size = type.blockBytes();
        return IntStream.range(0, ours.length / size)
                .filter(block -> {
                    int from = block * size;
                    return !Arrays.equals(ours, from, from + size, theirs, from, from + size);
                })
                .boxed()
                .toList();
    }

    /** Rows of every kind: normal, skewed, pruned, constant, zero, tiny, large, with negative zeros. */
    private static float[] values() {
        Random random = new Random(SEED);
        float[] values = new float[ROWS * COLUMNS];
        for (int row = 0; row < ROWS; row++) {
            for (int i = row * COLUMNS; i < (row + 1) * COLUMNS; i++) {
                float normal = (float) random.nextGaussian();
                values[i] =
                        switch (row % 10) {
                            case 0 -> 0.02f * normal;
                            case 1 -> random.nextBoolean() ? 0 : normal;
                            case 2 -> i % 4 < 2 ? normal : -0.0f;
                            case 3 -> normal * normal * normal;
                            case 4 -> Math.abs(normal);
                            case 5 -> i / 64 % 2 == 0 ? 0 : normal;
                            case 6 -> 0.375f;
                            case 7 -> 1e-6f * normal;
                            case 8 -> 300 * normal;
                            default -> row < 20 ? 0 : -Math.abs(normal);
                        };
            }
        }
        return values;
    }
}
