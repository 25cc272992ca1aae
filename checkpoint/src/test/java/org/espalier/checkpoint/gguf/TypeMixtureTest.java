package org.espalier.checkpoint.gguf;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The types that llama.cpp's {@code llama_tensor_get_type} chooses, worked out by hand. */
class TypeMixtureTest {
    private static final List<Long> WIDE = List.of(512L, 768L);

    /** In the order of the blocks: the first and last eighth, and every third between, get more bits. */
    @ParameterizedTest
    @CsvSource({
        "1, 0",
        "2, 1",
        "5, 2 4",
        "7, 2 5 6",
        "8, 0 3 6 7",
        "12, 0 3 6 9 10 11",
        "16, 0 1 4 7 10 13 14 15",
        "22, 0 1 4 7 10 13 16 19 20 21",
        "26, 0 1 2 5 8 11 14 17 20 22 23 24 25",
        "32, 0 1 2 3 6 9 12 15 18 21 24 27 28 29 30 31",
        "80, 0 1 2 3 4 5 6 7 8 9 12 15 18 21 24 27 30 33 36 39 42 45 48 51 54 57 60 63 66 69 70 71 72 73 74 75 76 77 78 79"
    })
    void theBlocksWithMoreBits(int blocks, String expected) {
        TypeMixture mixture = new TypeMixture(GgufFileType.Q4_K_M, blocks, 0, false, true);
        for (String module : new String[] {"ffn_down", "attn_v", "ffn_down_exps"}) {
            String found =
                    IntStream.range(0, blocks)
                            .filter(block -> type(mixture, block, module) == GgufType.Q6_K)
                            .mapToObj(Integer::toString)
                            .collect(Collectors.joining(" "));
            assertThat(found).as(module).isEqualTo(expected);
        }
        for (String module :
                new String[] {"attn_q", "attn_k", "attn_output", "ffn_gate", "ffn_up"}) {
            for (int block = 0; block < blocks; block++) {
                assertThat(type(mixture, block, module)).isEqualTo(GgufType.Q4_K);
            }
        }
        assertThat(type(mixture, 0, "attn_qkv")).isEqualTo(GgufType.Q5_K);
    }

    @Test
    void outputAndEmbedding() {
        for (GgufFileType type : new GgufFileType[] {GgufFileType.Q4_K_M, GgufFileType.Q4_0}) {
            TypeMixture separate = new TypeMixture(type, 4, 0, false, true);
            TypeMixture tied = new TypeMixture(type, 4, 0, false, false);
            assertThat(separate.of("output.weight", WIDE)).isEqualTo(GgufType.Q6_K);
            assertThat(separate.of("token_embd.weight", WIDE)).isEqualTo(type.type());
            assertThat(tied.of("token_embd.weight", WIDE)).isEqualTo(GgufType.Q6_K);
            assertThat(tied.of("token_embd.weight", List.of(160L, 9L))).isEqualTo(GgufType.Q8_0);
        }
        TypeMixture eight = new TypeMixture(GgufFileType.Q8_0, 4, 0, false, true);
        assertThat(eight.of("output.weight", WIDE)).isEqualTo(GgufType.Q8_0);
    }

    @Test
    void mixturesOfEightExperts() {
        TypeMixture eight = new TypeMixture(GgufFileType.Q4_K_M, 32, 8, false, true);
        TypeMixture seven = new TypeMixture(GgufFileType.Q4_K_M, 32, 7, false, true);
        TypeMixture plain = new TypeMixture(GgufFileType.Q4_0, 32, 8, false, true);
        for (int block : new int[] {0, 5}) {
            assertThat(type(eight, block, "attn_v")).isEqualTo(GgufType.Q8_0);
            assertThat(type(eight, block, "attn_k")).isEqualTo(GgufType.Q8_0);
            assertThat(type(eight, block, "attn_output")).isEqualTo(GgufType.Q5_K);
            assertThat(type(plain, block, "attn_k")).isEqualTo(GgufType.Q8_0);
            assertThat(type(plain, block, "attn_output")).isEqualTo(GgufType.Q4_0);
            assertThat(type(seven, block, "attn_k")).isEqualTo(GgufType.Q4_K);
        }
        assertThat(type(eight, 5, "ffn_down_exps")).isEqualTo(GgufType.Q4_K);
        assertThat(eight.of("blk.0.ffn_gate_inp.weight", List.of(512L, 8L)))
                .isEqualTo(GgufType.F32);
    }

    @Test
    void seventyBillionParametersShareEachValue() {
        TypeMixture shared = new TypeMixture(GgufFileType.Q4_K_M, 80, 0, true, true);
        assertThat(type(shared, 0, "attn_v")).isEqualTo(GgufType.Q6_K);
        assertThat(type(shared, 10, "attn_v")).isEqualTo(GgufType.Q5_K);
        assertThat(type(shared, 10, "ffn_down")).isEqualTo(GgufType.Q4_K);
    }

    /** What is taken where a row is no whole number of blocks. */
    @ParameterizedTest
    @CsvSource({"256, Q4_K, Q6_K, Q5_K", "160, Q5_0, Q8_0, Q5_1", "40, F16, F16, F16"})
    void narrowRows(long columns, GgufType query, GgufType value, GgufType fused) {
        TypeMixture mixture = new TypeMixture(GgufFileType.Q4_K_M, 8, 0, false, true);
        List<Long> extents = List.of(columns, 7L);
        assertThat(mixture.of("blk.0.attn_q.weight", extents)).isEqualTo(query);
        assertThat(mixture.of("blk.0.attn_v.weight", extents)).isEqualTo(value);
        assertThat(mixture.of("blk.0.attn_qkv.weight", extents)).isEqualTo(fused);
    }

    @Test
    void vectorsNormsAndPositionsStayAsTheyAre() {
        TypeMixture mixture = new TypeMixture(GgufFileType.Q4_K_M, 8, 0, false, true);
        assertThat(mixture.of("blk.0.attn_q.bias", List.of(512L))).isEqualTo(GgufType.F32);
        assertThat(mixture.of("blk.0.attn_q_norm.weight", WIDE)).isEqualTo(GgufType.F32);
        assertThat(mixture.of("position_embd.weight", WIDE)).isEqualTo(GgufType.F32);
    }

    private static GgufType type(TypeMixture mixture, int block, String module) {
        return mixture.of("blk." + block + "." + module + ".weight", WIDE);
    }
}
