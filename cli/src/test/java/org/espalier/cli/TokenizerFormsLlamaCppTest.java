package org.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Models whose tokenizer is no tokenizer.json: inspected, pruned, exported, and read by a real llama.cpp. */
class TokenizerFormsLlamaCppTest {
    private static final List<String> TEXTS =
            List.of(
                    "Once upon a time, there was a little girl.",
                    "It's 12345 o'clock! \u00fcber \u4f60\u597d \ud83d\ude00",
                    "tabs\tand\n\nlines\n",
                    "\u0928\u092e\u0938\u094d\u0924\u0947 \u0645\u0631\u062d\u0628\u0627 e\u0301 \ua980");

    @TempDir Path folder;

    @Test
    void piecesOfAModelAreTheSameThere() throws IOException {
        Path model = copy(Runs.data("lm-stories260k"));
        Files.delete(model.resolve("tokenizer.json"));
        assertThat(Runs.run("inspect", model).out()).contains("tokenizer.model, 512 tokens");
        sameThere(model, "");
        keptByPruning(model, "tokenizer.model");
    }

    /** The shipped model's tokens with GPT-2's way of cutting, which is what these two files stand for. */
    @Test
    void vocabularyAndMergesAreTheSameThere() throws IOException {
        Path model = copy(Runs.root().resolve("models/hedgerow-3m"));
        JsonNode bpe =
                JsonMapper.shared()
                        .readTree(Files.readAllBytes(model.resolve("tokenizer.json")))
                        .path("model");
        ObjectNode vocabulary = (ObjectNode) bpe.path("vocab").deepCopy();
        Files.writeString(model.resolve("vocab.json"), vocabulary.toString());
        StringBuilder merges = new StringBuilder("#version: 0.2\n");
        for (JsonNode merge : bpe.path("merges")) {
            merges.append(
                    merge.isArray()
                            ? merge.get(0).asString() + " " + merge.get(1).asString()
                            : merge.asString());
            merges.append('\n');
        }
        Files.writeString(model.resolve("merges.txt"), merges);
        Files.delete(model.resolve("tokenizer.json"));
        Files.writeString(
                model.resolve("tokenizer_config.json"),
                """
                {"tokenizer_class": "GPT2Tokenizer", "add_bos_token": true,
                 "bos_token": "<|begin|>", "eos_token": "<|end|>"}
                """);
        assertThat(Runs.run("inspect", model).out())
                .contains("vocab.json and merges.txt, 1024 tokens");
        sameThere(model, "  two blanks,   three ");
        keptByPruning(model, "merges.txt");
    }

    private Path copy(Path from) throws IOException {
        Path model = Files.createDirectory(folder.resolve("model"));
        try (Stream<Path> files = Files.list(from)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                if (!file.toString().endsWith(".gguf")) {
                    Files.copy(file, model.resolve(file.getFileName()));
                }
            }
        }
        return model;
    }

    private void sameThere(Path model, String more) throws IOException {
        Path file = folder.resolve("model.gguf");
        Runs.Outcome outcome =
                Runs.run("export", model, "--to", "gguf", "--out", file, "--threads", 1);
        assertThat(outcome.code()).as(outcome.err()).isZero();
        try (LlamaVocabulary theirs = new LlamaVocabulary(file);
                OpenModel ours = OpenModel.open(model);
                OpenModel back = OpenModel.open(file)) {
            for (String text : Stream.concat(TEXTS.stream(), Stream.of(more)).toList()) {
                long[] ids = ours.checkpoint().tokenizer().encode(text, true);
                assertThat(theirs.encode(text, true)).as(text).isEqualTo(ids);
                assertThat(back.checkpoint().tokenizer().encode(text, true))
                        .as(text)
                        .isEqualTo(ids);
            }
        }
    }

    private void keptByPruning(Path model, String name) throws IOException {
        Path pruned = folder.resolve("pruned");
        Runs.Outcome outcome =
                Runs.run("prune", model, "--recipe", "magnitude", "--out", pruned, "--threads", 1);
        assertThat(outcome.code()).as(outcome.err()).isZero();
        assertThat(pruned.resolve(name)).hasSameBinaryContentAs(model.resolve(name));
        assertThat(pruned.resolve("tokenizer.json")).doesNotExist();
    }
}
