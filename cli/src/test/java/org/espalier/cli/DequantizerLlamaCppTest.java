package org.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.espalier.checkpoint.gguf.Dequantizer;
import org.espalier.checkpoint.gguf.GgufType;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Our readers of blocks against those of ggml itself, bit for bit, on blocks that no quantizer would write, too. */
class DequantizerLlamaCppTest {
    private static final int BLOCKS = 400;
    private static final long SEED = 20261129;

    /** Zero of both signs, subnormal, least normal, one, most, infinite, no number. */
    private static final int[] AWKWARD_HALVES = {
        0x0000, 0x8000, 0x0001, 0x8001, 0x03FF, 0x0400, 0x3C00, 0xBC00, 0x7BFF, 0xFBFF, 0x7C00,
        0xFC00, 0x7E00
    };

    private static final int[] AWKWARD_FLOATS = {
        0,
        0x80000000,
        1,
        0x80000001,
        0x007FFFFF,
        0x3F800000,
        0x7F7FFFFF,
        0xFF7FFFFF,
        0x7F800000,
        0x7FC00000
    };

    /** Where a block has its halves. */
    private static final Map<GgufType, int[]> SCALES =
            Map.ofEntries(
                    Map.entry(GgufType.Q8_0, new int[] {0}),
                    Map.entry(GgufType.Q4_0, new int[] {0}),
                    Map.entry(GgufType.Q4_1, new int[] {0, 2}),
                    Map.entry(GgufType.Q5_0, new int[] {0}),
                    Map.entry(GgufType.Q5_1, new int[] {0, 2}),
                    Map.entry(GgufType.Q2_K, new int[] {80, 82}),
                    Map.entry(GgufType.Q3_K, new int[] {108}),
                    Map.entry(GgufType.Q4_K, new int[] {0, 2}),
                    Map.entry(GgufType.Q5_K, new int[] {0, 2}),
                    Map.entry(GgufType.Q6_K, new int[] {208}),
                    Map.entry(GgufType.IQ4_NL, new int[] {0}),
                    Map.entry(GgufType.IQ4_XS, new int[] {0}),
                    Map.entry(GgufType.TQ1_0, new int[] {52}),
                    Map.entry(GgufType.TQ2_0, new int[] {64}));

    @ParameterizedTest
    @EnumSource(
            names = {
                "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K",
                "Q8_K", "IQ4_NL", "IQ4_XS", "TQ1_0", "TQ2_0"
            })
    void valuesAreThoseOfTheReference(GgufType type) {
        byte[] blocks = blocks(type);
        float[] ours = new float[BLOCKS * type.blockElements()];
        Dequantizer.dequantize(type, MemorySegment.ofArray(blocks), MemorySegment.ofArray(ours));
        float[] theirs = LlamaLibrary.dequantize(type, blocks, ours.length);
        int finite = 0;
        for (int i = 0; i < ours.length; i++) {
            // One bit pattern for all that are no numbers: the processor decides on the others.
            assertThat(Float.floatToIntBits(ours[i]))
                    .as("element %d, %s and not %s, seed %d", i, ours[i], theirs[i], SEED)
                    .isEqualTo(Float.floatToIntBits(theirs[i]));
            finite += Float.isFinite(theirs[i]) ? 1 : 0;
        }
        assertThat(finite).as("most are numbers").isGreaterThan(ours.length / 2);
    }

    /** Random bytes; every second block has awkward scales. */
    private static byte[] blocks(GgufType type) {
        Random random = new Random(SEED + type.id());
        byte[] blocks = new byte[BLOCKS * type.blockBytes()];
        random.nextBytes(blocks);
        for (int block = 0; block < BLOCKS; block += 2) {
            int from = block * type.blockBytes();
            if (type == GgufType.Q8_K) {
                put(blocks, from, AWKWARD_FLOATS[random.nextInt(AWKWARD_FLOATS.length)], 4);
                continue;
            }
            for (int at : Objects.requireNonNull(SCALES.get(type))) {
                put(blocks, from + at, AWKWARD_HALVES[random.nextInt(AWKWARD_HALVES.length)], 2);
            }
        }
        return blocks;
    }

    private static void put(byte[] bytes, int at, int value, int count) {
        for (int i = 0; i < count; i++) {
            bytes[at + i] = (byte) (value >> (8 * i));
        }
    }
}
