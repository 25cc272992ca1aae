package org.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.espalier.cli.Runs.Outcome;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every mistake of the user gives one line and exit code 2, and leaves nothing behind. */
class MistakesTest {
    @TempDir Path folder;

    @Test
    void aWrongPathIsNamed() {
        for (String command : new String[] {"prune", "evaluate", "inspect", "verify"}) {
            assertMistake(Runs.run(command, folder.resolve("nowhere")), "nowhere");
        }
        assertMistake(Runs.run("generate", folder.resolve("nowhere"), "--prompt", "a"), "nowhere");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "prune --sparsty 0.5",
                "prune --sparsity half",
                "prune a b",
                "evaluate",
                "generate model",
                "recipes list more",
                "prnue",
                "train"
            })
    void misuseIsOneLineWithAHint(String line) {
        assertMistake(Runs.run((Object[]) line.split(" ")), "--help");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--sparsity 0,5        | with a decimal point that is 0.5",
                "--sparsity 50%        | for 50% write 0.5",
                "--sparsity 0x1p-1     | not a number",
                "--sparsity 0.5f       | not a number",
                "--sparsity NaN        | not a number",
                "--sparsity 1e-999     | not a number",
                "--seed 1e3            | not a whole number",
                "--seed 010            | not a whole number",
                "--seed 1_000          | not a whole number",
                "--seed 9999999999999999999 | not a whole number",
                "--samples 8.0         | not a whole number",
                "--samples 3000000000  | beyond any number",
                "--samples 0x10        | not a whole number",
                "--memory 1,5GiB       | --memory",
                "--memory 0x10G        | --memory",
                "--memory 1e9B         | --memory",
                "--pattern 2:4,        | is no pattern",
                "--threads 2.5         | not a whole number"
            })
    void aNumberIsNotReadAsAnother(String words, String named) {
        Object[] all = ("prune " + folder + " " + words).split(" ");
        assertMistake(Runs.run(all), named);
    }

    @Test
    void badOptionsOfPruneAreRefusedBeforeWorkBegins() throws IOException {
        Path text = Runs.text();
        assertMistake(prune(), "--calibration");
        assertMistake(prune("--calibration", folder.resolve("no.txt")), "no.txt");
        assertMistake(prune("--calibration", text, "--dtype", "int3"), "int3");
        assertMistake(prune("--calibration", text, "--recipe", "wonda"), "wonda");
        assertMistake(prune("--calibration", text, "--sparsity", "1.0"), "--sparsity");
        assertMistake(prune("--calibration", text, "--sparsity", "50"), "write 0.5");
        assertMistake(prune("--calibration", text, "--pattern", "5:4"), "5:4");
        assertMistake(
                prune("--calibration", text, "--pattern", "2:4", "--sparsity", "0.7"),
                "contradicts");
        assertMistake(prune("--calibration", text, "--pattern", "3:7"), "7");
        assertMistake(prune("--calibration", text, "--group", "column"), "row, layer or global");
        assertMistake(
                prune("--calibration", text, "--pattern", "2:4", "--group", "layer"),
                "contradicts");
        assertMistake(prune("--calibration", text, "--inputs", "sparse"), "propagated or dense");
        assertMistake(prune("--calibration", text, "--samples", "0"), "--samples");
        assertMistake(prune("--calibration", text, "--sequence-length", "513"), "512 positions");
        assertMistake(prune("--calibration", text, "--threads", "0"), "--threads");
        assertMistake(prune("--calibration", text, "--text", text, "--window", "1"), "--window");
        Path recipe =
                Files.writeString(
                        folder.resolve("bad.yaml"),
                        "name: bad\nscore: luck\nselect: {sparsity: 2}\ncolour: green\n");
        Outcome faults = prune("--recipe", recipe);
        assertMistake(faults, "colour");
        assertThat(faults.err()).contains("select.sparsity");
        Path ids =
                Files.writeString(folder.resolve("ids.jsonl"), "{\"input_ids\": [1, 2, 5000]}\n");
        assertMistake(prune("--calibration", ids), "line 1");
        try (Stream<Path> left = Files.list(folder)) {
            assertThat(left.map(path -> String.valueOf(path.getFileName())))
                    .containsExactlyInAnyOrder("bad.yaml", "bare", "ids.jsonl");
        }
    }

    @Test
    void aTruncatedWeightFileIsNamed() throws IOException {
        Path source = Runs.model();
        Path model = Files.createDirectory(folder.resolve("model"));
        Files.copy(source.resolve("config.json"), model.resolve("config.json"));
        byte[] bytes = Files.readAllBytes(source.resolve("model.safetensors"));
        Files.write(model.resolve("model.safetensors"), Arrays.copyOf(bytes, bytes.length - 1000));
        assertMistake(Runs.run("inspect", model), "model.safetensors");
    }

    @Test
    void modelsOfAnotherVocabularyAreNotCompared() throws IOException {
        Path stories = Runs.model();
        Path other =
                RandomModel.write(
                        folder.resolve("other"),
                        "{'model_type': 'llama', 'vocab_size': 20, 'hidden_size': 8, 'intermediate_size': 8,"
                                + " 'num_hidden_layers': 1, 'num_attention_heads': 2, 'num_key_value_heads': 2}",
                        1);
        Path text = Runs.text();
        assertMistake(
                Runs.run("evaluate", stories, "--text", text, "--against", other), "vocabulary");
    }

    /** A real model without texts of its own beside it. */
    private Path bare() {
        Path bare = folder.resolve("bare");
        if (Files.exists(bare)) {
            return bare;
        }
        try (Stream<Path> files = Files.list(Runs.model())) {
            Files.createDirectory(bare);
            for (Path file : files.toList()) {
                String name = file.getFileName().toString();
                if (name.endsWith(".json") || name.endsWith(".safetensors")) {
                    Files.copy(file, bare.resolve(name));
                }
            }
            return bare;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Outcome prune(Object... options) {
        Object[] fixed = {"prune", bare(), "--out", folder.resolve("out")};
        Object[] arguments = Arrays.copyOf(fixed, fixed.length + options.length);
        System.arraycopy(options, 0, arguments, fixed.length, options.length);
        return Runs.run(arguments);
    }

    private static void assertMistake(Outcome outcome, String named) {
        assertThat(outcome.err()).startsWith("espalier: ").contains(named);
        assertThat(outcome.err().lines()).as(outcome.err()).hasSize(1);
        assertThat(outcome.code()).isEqualTo(Main.USER_ERROR);
        assertThat(outcome.out()).isEmpty();
    }
}
