package org.espalier.checkpoint.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.espalier.core.UserError;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class ArchitectureTest {
    @ParameterizedTest
    @ValueSource(strings = {"opt", "bloom", "gpt_neox", "deepseek_v2", "deepseek_v3"})
    void otherFamiliesAreRefusedInOneLine(String family) {
        assertThatThrownBy(() -> Architecture.ofFamily(family))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("'" + family + "'")
                .hasMessageContaining("gemma2, gemma3_text, gpt2, llama, mistral, mixtral, olmoe")
                .hasMessageContaining("export to safetensors")
                .message()
                .hasLineCount(1);
    }

    @ParameterizedTest
    @EnumSource
    void everyNameHasOneSource(Architecture architecture) {
        TensorNames names = architecture.names();
        assertThat(names.all(2))
                .doesNotHaveDuplicates()
                .contains("token_embd.weight", "blk.1.attn_norm.weight", "output_norm.weight");
        assertThat(names.all(2).stream().map(names::tensor))
                .doesNotHaveDuplicates()
                .doesNotContainNull();
        assertThat(names.tensor("blk.0.other.weight")).isNull();
        assertThat(names.tensor("blk.00.attn_norm.weight")).isNull();
        assertThat(Architecture.of(architecture.id(), architecture.hasExperts()))
                .isEqualTo(architecture);
    }
}
