package org.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What llama.cpp would compute differently is refused in one line, and nothing is written. */
class ExportRefusalTest {
    @TempDir Path folder;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "GEMMA2 | 'query_pre_attn_scalar': 10 | 'query_pre_attn_scalar': 5 | multiplies the scores",
                "GEMMA2 | 'final_logit_softcapping': 3.0 | 'final_logit_softcapping': null | has no bounds",
                "GEMMA2 | 'sliding_window': 7 | 'sliding_window': 7, 'sliding_window_pattern': 3 | order of its own",
                "GEMMA3 | 'rope_local_base_freq': 10000.0 | 'rope_local_base_freq': 100.0 | base of 100.0",
                "QWEN2 | 'num_key_value_heads': 2 | 'num_key_value_heads': 2, 'head_dim': 4 | 4 heads of 4",
                "QWEN2 | 'num_key_value_heads': 2 | 'num_key_value_heads': 2, 'rope_scaling': {'rope_type': 'yarn', 'factor': 4.0} | YaRN",
                "QWEN3_MOE | 'norm_topk_prob': true | 'norm_topk_prob': false | leaves the weights",
                "OLMOE | 'num_key_value_heads': 4 | 'num_key_value_heads': 4, 'clip_qkv': 3.0 | clip_qkv",
                "OLMOE | 'num_key_value_heads': 4 | 'num_key_value_heads': 2 | fewer heads of keys"
            })
    void oneLineSaysWhy(ExportedModel model, String from, String to, String message)
            throws IOException {
        assertThat(model.config()).contains(from);
        Path hub = RandomModel.write(folder.resolve("hub"), model.config().replace(from, to), 1);
        Path out = folder.resolve("model.gguf");
        Runs.Outcome outcome = Runs.run("export", hub, "--to", "gguf", "--out", out);
        assertThat(outcome.code()).isEqualTo(Main.USER_ERROR);
        assertThat(outcome.err())
                .hasLineCount(1)
                .contains(message)
                .contains("export to safetensors");
        assertThat(out).doesNotExist();
    }
}
