package org.espalier.checkpoint.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/** Every block layout of formats that can be read, against values computed by hand from the layout. */
class DequantizerTest {
    /** IEEE halves, little-endian. */
    private static final byte[] HALF_ONE = {0x00, 0x3C};

    private static final byte[] HALF_TWO = {0x00, 0x40};
    private static final byte[] HALF_A_HALF = {0x00, 0x38};

    private static float[] read(GgufType type, byte[] blocks) {
        int elements = blocks.length / type.blockBytes() * type.blockElements();
        float[] values = new float[elements];
        Dequantizer.dequantize(type, MemorySegment.ofArray(blocks), MemorySegment.ofArray(values));
        return values;
    }

    private static byte[] block(GgufType type) {
        return new byte[type.blockBytes()];
    }

    private static void put(byte[] block, int at, byte... bytes) {
        System.arraycopy(bytes, 0, block, at, bytes.length);
    }

    @Test
    void plainTypes() {
        assertThat(read(GgufType.F32, new byte[] {0, 0, (byte) 0xC0, 0x3F, 0, 0, 0, (byte) 0x80}))
                .containsExactly(1.5f, -0.0f);
        assertThat(read(GgufType.F16, new byte[] {0, 0x3C, 0x01, 0x00, 0, (byte) 0xFC}))
                .containsExactly(1f, 0x1p-24f, Float.NEGATIVE_INFINITY);
        assertThat(read(GgufType.BF16, new byte[] {(byte) 0xC0, 0x3F, (byte) 0x80, (byte) 0xBF}))
                .containsExactly(1.5f, -1f);
    }

    @Test
    void q8Zero() {
        byte[] block = block(GgufType.Q8_0);
        put(block, 0, HALF_A_HALF);
        put(block, 2, (byte) 3, (byte) -128, (byte) 127);
        block[33] = -1;
        float[] values = read(GgufType.Q8_0, block);
        assertThat(values).hasSize(32);
        assertThat(values).startsWith(1.5f, -64f, 63.5f, 0f).endsWith(0f, -0.5f);
    }

    @Test
    void q4ZeroSplitsNibblesIntoHalves() {
        byte[] block = block(GgufType.Q4_0);
        put(block, 0, HALF_TWO);
        put(block, 2, (byte) 0xF0, (byte) 0x89);
        float[] values = read(GgufType.Q4_0, block);
        // Low nibbles 0 and 9 are elements 0 and 1; high nibbles 15 and 8 are elements 16 and 17.
        assertThat(values[0]).isEqualTo(-16f);
        assertThat(values[1]).isEqualTo(2f);
        assertThat(values[16]).isEqualTo(14f);
        assertThat(values[17]).isEqualTo(0f);
        assertThat(values[31]).isEqualTo(-16f);
    }

    @Test
    void q4KUnpacksSixBitScalesAndMinima() {
        byte[] block = block(GgufType.Q4_K);
        put(block, 0, HALF_ONE);
        put(block, 2, HALF_A_HALF);
        // Group 0: scale 37 in s[0], minimum 10 in s[4]. Group 5 takes its low bits from s[9] and
        // the two upper bits of
        // its scale from s[1], of its minimum from s[5]: scale 0b10_0101 = 37, minimum 0b01_1100 =
        // 28.
        put(block, 4, (byte) 37, (byte) 0b1000_0011, (byte) 0, (byte) 0);
        put(block, 8, (byte) 10, (byte) 0b0100_0000, (byte) 0, (byte) 0);
        put(block, 12, (byte) 0, (byte) 0b1100_0101, (byte) 0, (byte) 0);
        block[16] = 0x0B; // group 0, element 0: code 11; group 1, element 0: code 0
        block[17] = (byte) 0xF2; // group 0, element 1: code 2; group 1, element 1: code 15
        block[16 + 64 + 31] = (byte) 0xE0; // group 4 code 0, group 5, element 31: code 14
        float[] values = read(GgufType.Q4_K, block);
        assertThat(values[0]).isEqualTo(37f * 11 - 5f);
        assertThat(values[1]).isEqualTo(37f * 2 - 5f);
        // Group 1: scale 3 in the low six bits of s[1], minimum 0 in those of s[5].
        assertThat(values[32]).isEqualTo(0f);
        assertThat(values[33]).isEqualTo(45f);
        assertThat(values[5 * 32 + 31]).isEqualTo(37f * 14 - 14f);
        assertThat(values[5 * 32]).isEqualTo(-14f);
        assertThat(values[255]).isEqualTo(0f);
    }

    @Test
    void q6KJoinsLowAndHighBits() {
        byte[] block = block(GgufType.Q6_K);
        put(block, 208, HALF_A_HALF);
        for (int group = 0; group < 16; group++) {
            block[192 + group] = (byte) (group == 15 ? -2 : group + 1);
        }
        block[0] = 0x5A; // half 0: element 0 low bits 10, element 64 low bits 5
        block[32] = 0x0F; // element 32 low bits 15
        block[128] = (byte) 0b11_01_10_00; // elements 0, 32, 64, 96: upper bits 0, 2, 1, 3
        block[64 + 32 + 31] = (byte) 0x70; // half 1, element 96 + 31: low bits 7
        block[128 + 32 + 31] = (byte) 0b10_00_00_00; // upper bits 2
        float[] values = read(GgufType.Q6_K, block);
        assertThat(values[0]).isEqualTo(0.5f * 1 * (10 - 32));
        assertThat(values[32]).isEqualTo(0.5f * 3 * (15 + 32 - 32));
        assertThat(values[64]).isEqualTo(0.5f * 5 * (5 + 16 - 32));
        assertThat(values[96]).isEqualTo(0.5f * 7 * (48 - 32));
        assertThat(values[255]).isEqualTo(0.5f * -2 * (7 + 32 - 32));
        assertThat(values[254]).isEqualTo(0.5f * -2 * -32);
    }

    /** By hand from OCP Microscaling 1.0: a power of two less 127, and 0, 0.5, 1, 1.5, 2, 3, 4, 6 with a sign. */
    @Test
    void mxfp4IsAPowerOfTwoTimesSmallFloats() {
        byte[] block = block(GgufType.MXFP4);
        block[0] = (byte) 130;
        for (int i = 0; i < 8; i++) {
            block[1 + i] = (byte) (i | ((8 + i) << 4));
        }
        float[] values = read(GgufType.MXFP4, block);
        assertThat(values).startsWith(0f, 4f, 8f, 12f, 16f, 24f, 32f, 48f, 0f);
        for (int i = 1; i < 8; i++) {
            assertThat(values[16 + i]).isEqualTo(-values[i]);
        }
        // The ends of the range: 6 * 2^-127, 0.5 * 2^-126, infinite beyond 6 * 2^125.
        block[1] = 0x7;
        block[2] = 0x1;
        float[][] ends = new float[4][];
        int[] exponents = {0, 1, 252, 254};
        for (int i = 0; i < ends.length; i++) {
            block[0] = (byte) exponents[i];
            ends[i] = read(GgufType.MXFP4, block);
        }
        assertThat(ends[0][0]).isEqualTo(6 * 0x1p-127f);
        assertThat(ends[0][1]).isEqualTo(0x1p-128f);
        assertThat(ends[1][0]).isEqualTo(6 * 0x1p-126f);
        assertThat(ends[1][1]).isEqualTo(0x1p-127f);
        assertThat(ends[2][0]).isEqualTo(6 * 0x1p125f);
        assertThat(ends[3][0]).isInfinite();
        assertThat(ends[3][1]).isEqualTo(0x1p126f);
    }

    @Test
    void ternaryDigitsComeOutAtTheTop() {
        byte[] two = block(GgufType.TQ2_0);
        put(two, 64, HALF_TWO);
        two[0] = (byte) 0b10_01_00_10; // elements 0, 32, 64, 96
        float[] values = read(GgufType.TQ2_0, two);
        assertThat(values[0]).isEqualTo(2f);
        assertThat(values[32]).isEqualTo(-2f);
        assertThat(values[64]).isZero();
        assertThat(values[96]).isEqualTo(2f);
        byte[] one = block(GgufType.TQ1_0);
        put(one, 52, HALF_TWO);
        // The digits 2 0 1 2 1 are 178 of 243, and 178 * 256 / 243 is 187.5.
        one[0] = (byte) 188;
        values = read(GgufType.TQ1_0, one);
        assertThat(values[0]).isEqualTo(2f);
        assertThat(values[32]).isEqualTo(-2f);
        assertThat(values[64]).isZero();
        assertThat(values[96]).isEqualTo(2f);
        assertThat(values[128]).isZero();
    }

    @Test
    void blocksFollowEachOther() {
        byte[] two = new byte[68];
        put(two, 0, HALF_ONE);
        put(two, 34, HALF_TWO);
        two[2] = 5;
        two[36] = 5;
        float[] values = read(GgufType.Q8_0, two);
        assertThat(values[0]).isEqualTo(5f);
        assertThat(values[32]).isEqualTo(10f);
    }

    @Test
    void raggedInputIsRefused() {
        for (GgufType type : GgufType.values()) {
            if (!type.isReadable()) {
                MemorySegment none = MemorySegment.ofArray(new byte[0]);
                assertThatThrownBy(() -> Dequantizer.dequantize(type, none, none))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageContaining("cannot be dequantized");
                continue;
            }
            MemorySegment cut = MemorySegment.ofArray(new byte[type.blockBytes() * 3 - 1]);
            MemorySegment floats = MemorySegment.ofArray(new float[3 * type.blockElements()]);
            assertThatThrownBy(() -> Dequantizer.dequantize(type, cut, floats))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("no whole number of blocks");
            MemorySegment two = MemorySegment.ofArray(new byte[type.blockBytes() * 2]);
            assertThatThrownBy(() -> Dequantizer.dequantize(type, two, floats))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("do not fit");
        }
        MemorySegment empty = MemorySegment.ofArray(new byte[0]);
        Dequantizer.dequantize(GgufType.Q6_K, empty, MemorySegment.ofArray(new float[0]));
    }
}
