package org.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.espalier.cli.Runs.Outcome;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.json.JsonMapper;

/** The words of a user are what they say, whatever they begin with. */
class VerbatimTest {
    private static final Path MODEL = Runs.root().resolve("models/hedgerow-3m");

    @TempDir Path folder;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "@pom.xml",
                "@",
                "-",
                "--",
                "-o",
                "--json",
                "--help",
                "-5",
                "#1",
                "a=b, c",
                "\"quoted\"",
                "'s",
                "${sys:user.home} $HOME %n",
                "two lines\n",
                " ",
                "naïve 🌿"
            })
    void aPromptIsWhatItSays(String prompt) {
        assertThat(echo("--prompt", prompt)).isEqualTo(prompt);
    }

    @Test
    void aPromptBehindAnEqualsSignIsWhatItSays() {
        assertThat(echo("--prompt=@pom.xml")).isEqualTo("@pom.xml");
        assertThat(echo("--prompt=--json=-o")).isEqualTo("--json=-o");
    }

    @Test
    void aPromptIsGivenOnce() {
        assertThat(generate("--prompt", "a", "--prompt", "b").err()).contains("'--prompt'", "once");
        assertThat(generate("--prompt").err()).contains("'--prompt'", "--help");
    }

    @Test
    void namesOfFilesAreNoFilesOfWords() throws IOException {
        Path out = folder.resolve("@out,a=b");
        Path text = Files.writeString(folder.resolve("@ids.jsonl"), "{\"input_ids\": [1, 2]}\n");
        Path model = TinyCheckpoint.write(folder.resolve("@model"), 1);
        Outcome pruned =
                Runs.run("prune", model, "--recipe", "magnitude", "--text", text, "--out", out);
        assertThat(pruned.code()).as(pruned.err()).isZero();
        assertThat(Runs.run("verify", out, "--source", model, "--text", text).code()).isZero();
        assertThat(Runs.run("inspect", "@model").err()).contains("@model does not exist");
    }

    @Test
    void aRefusalComesBeforeThePrompt() {
        Outcome outcome = Runs.run("generate", MODEL, "--prompt", "Once", "--temperature", "-1");
        assertThat(outcome.code()).isEqualTo(Main.USER_ERROR);
        assertThat(outcome.out()).isEmpty();
        assertThat(outcome.err()).startsWith("espalier: temperature").contains("-1");
    }

    private static String echo(String... words) {
        Outcome outcome = generate(words);
        assertThat(outcome.code()).as(outcome.err()).isZero();
        return JsonMapper.shared().readTree(outcome.out()).path("prompt").asString();
    }

    private static Outcome generate(String... words) {
        Object[] all = new Object[words.length + 5];
        System.arraycopy(
                new Object[] {"generate", MODEL, "--max-tokens", 1, "--json"}, 0, all, 0, 5);
        System.arraycopy(words, 0, all, 5, words.length);
        return Runs.run(all);
    }
}
