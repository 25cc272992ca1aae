package org.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.espalier.cli.Runs.Outcome;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The worked example of docs/adding-a-family.md, line by line as the page has it, on a random model of that family. */
class AddingAFamilyTest {
    private static final String EXAMPLE = "examples/families/stablelm/espalier-family.yaml";

    @TempDir Path folder;

    @BeforeEach
    void model() throws IOException {
        RandomModel.write(
                folder.resolve("path/to/stablelm"),
                """
                {'model_type': 'stablelm', 'vocab_size': 29, 'hidden_size': 32,
                 'intermediate_size': 20, 'num_hidden_layers': 2, 'num_attention_heads': 2,
                 'num_key_value_heads': 1, 'use_qkv_bias': true}\
                """,
                7);
        TinyCheckpoint.ids(folder.resolve("text.jsonl"), 6, 7);
    }

    @Test
    void linesOfThePageDoWhatThePageSays() throws IOException {
        List<String> lines = blocks("").getFirst().lines().toList();
        assertThat(lines).hasSize(4);
        Outcome before = Runs.run("inspect", folder.resolve("path/to/stablelm"));
        assertThat(before.code()).as(before.err()).isZero();
        assertThat(before.out()).contains("listed only", "docs/adding-a-family.md");
        Outcome refused =
                Runs.run(
                        "evaluate",
                        folder.resolve("path/to/stablelm"),
                        "--text",
                        folder.resolve("text.jsonl"));
        assertThat(refused.code()).isEqualTo(Main.USER_ERROR);
        assertThat(refused.err()).contains("docs/adding-a-family.md");
        List<Outcome> outcomes = new ArrayList<>();
        for (String line : lines) {
            String[] words = line.strip().split(" +");
            if (words[0].equals("cp")) {
                Path from = Runs.root().resolve(words[1]);
                Files.copy(from, folder.resolve(words[2]).resolve(from.getFileName()));
                continue;
            }
            assertThat(words[0]).isEqualTo("./espalier");
            Object[] arguments = new Object[words.length - 1];
            for (int i = 0; i < arguments.length; i++) {
                arguments[i] = place(words[i + 1]);
            }
            Outcome outcome = Runs.run(arguments);
            assertThat(outcome.code()).as(line + outcome.err()).isZero();
            outcomes.add(outcome);
        }
        assertThat(outcomes.getFirst().out()).contains("stablelm");
        assertThat(outcomes.getLast().out()).contains("perplexity");
        assertThat(folder.resolve("pruned/stablelm/espalier-family.yaml"))
                .hasSameTextualContentAs(Runs.root().resolve(EXAMPLE));
        assertThat(Runs.run("verify", folder.resolve("pruned/stablelm")).code()).isZero();
    }

    @Test
    void excerptsOnThePageAreThoseOfTheFile() throws IOException {
        String descriptor = Files.readString(Runs.root().resolve(EXAMPLE));
        List<String> excerpts = blocks("yaml");
        assertThat(excerpts).hasSizeGreaterThan(3);
        for (String excerpt : excerpts) {
            List<String> wanted = excerpt.lines().map(String::strip).toList();
            assertThat(descriptor.lines().map(String::strip)).containsSequence(wanted);
        }
    }

    /** A word of the page; what names a file of the reader is found in the folder of the test. */
    private Object place(String word) {
        boolean file =
                word.startsWith("path/") || word.startsWith("pruned/") || word.endsWith(".jsonl");
        return file ? folder.resolve(word) : word;
    }

    /** The blocks of code on the page in that language. */
    private static List<String> blocks(String language) throws IOException {
        List<String> blocks = new ArrayList<>();
        StringBuilder block = new StringBuilder();
        boolean inside = false;
        String page = Files.readString(Runs.root().resolve("docs/adding-a-family.md"));
        String opened = "";
        for (String line : page.lines().toList()) {
            if (line.strip().startsWith("```")) {
                if (inside && opened.equals(language)) {
                    blocks.add(block.toString());
                }
                inside = !inside;
                opened = inside ? line.strip().substring(3) : "";
                block.setLength(0);
            } else if (inside) {
                block.append(line).append('\n');
            }
        }
        return blocks;
    }
}
