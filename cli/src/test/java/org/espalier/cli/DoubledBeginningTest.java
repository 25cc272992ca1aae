package org.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.espalier.cli.Runs.Outcome;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The shipped model's tokenizer puts {@code <|begin|>} before a text; one that begins with it reads it twice, told. */
class DoubledBeginningTest {
    private static final String STORY =
            "Once upon a time there was a fox who lived near the river.";
    private static final String NOTE = "begins with the token that begins a text";

    @TempDir Path folder;

    @Test
    void evaluateTellsOfASecondBeginning() throws IOException {
        assertThat(evaluate("<|begin|>" + STORY).err()).contains("a.txt " + NOTE);
        assertThat(evaluate(STORY).err()).doesNotContain(NOTE);
        assertThat(evaluate(STORY + "<|begin|>").err()).doesNotContain(NOTE);
    }

    @Test
    void generateTellsOfASecondBeginning() {
        assertThat(generate("<|begin|>Once").err()).contains("the prompt " + NOTE);
        assertThat(generate("Once").err()).doesNotContain(NOTE);
    }

    /** Ids need no tokenizer, and nothing is put before them. */
    @Test
    void idsNeedNoTokenizer() throws IOException {
        Path model =
                RandomModel.write(
                        folder.resolve("model"),
                        "{'model_type': 'llama', 'vocab_size': 20, 'hidden_size': 8, 'intermediate_size': 8,"
                                + " 'num_hidden_layers': 1, 'num_attention_heads': 2, 'num_key_value_heads': 2}",
                        1);
        Path ids = Files.writeString(folder.resolve("a.jsonl"), "{\"input_ids\": [1, 1, 2, 3]}");
        Outcome outcome = Runs.run("evaluate", model, "--text", ids);
        assertThat(outcome.code()).as(outcome.err()).isZero();
        assertThat(outcome.err()).doesNotContain(NOTE);
    }

    private Outcome evaluate(String text) throws IOException {
        Path file = Files.writeString(folder.resolve("a.txt"), text);
        Outcome outcome = Runs.run("evaluate", Runs.shipped(), "--text", file);
        assertThat(outcome.code()).as(outcome.err()).isZero();
        return outcome;
    }

    private static Outcome generate(String prompt) {
        Outcome outcome =
                Runs.run("generate", Runs.shipped(), "--prompt", prompt, "--max-tokens", 1);
        assertThat(outcome.code()).as(outcome.err()).isZero();
        return outcome;
    }
}
