package org.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files that are empty, or lead elsewhere: one line, exit code 2, nothing half-written, and the source as it was. */
class HostileFilesTest {
    private static final String INDEX = "model.safetensors.index.json";
    private static final String SHARD = "model-00001-of-00002.safetensors";
    private static final String TOKENIZER =
            """
            {"version":"1.0","truncation":null,"padding":null,"added_tokens":[],"normalizer":null,
             "pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true},
             "post_processor":null,
             "decoder":{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true},
             "model":{"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":null,
             "end_of_word_suffix":null,"fuse_unk":false,"byte_fallback":false,"ignore_merges":false,
             "vocab":{"a":0,"b":1,"\u0120":2},"merges":[]}}
            """;

    @TempDir Path folder;
    private TinyRun run;
    private Path out;

    @BeforeEach
    void makeModel() throws IOException {
        run = TinyRun.in(Files.createDirectory(folder.resolve("in")));
        out = Files.createDirectory(folder.resolve("target")).resolve("out");
    }

    @ParameterizedTest
    @CsvSource({
        "config.json, config.json",
        "model.safetensors.index.json, model.safetensors.index.json",
        "model-00001-of-00002.safetensors, model-00001-of-00002.safetensors",
        "model.safetensors, model.safetensors",
    })
    void anEmptyFileOfTheModelIsNamed(String file, String named) throws IOException {
        Files.write(run.model().resolve(file), new byte[0]);
        assertRefused(named, "wanda");
        assertMistake(Runs.run("inspect", run.model()), named);
        assertMistake(Runs.run("evaluate", run.model(), "--text", run.text()), named);
    }

    @Test
    void anEmptyTokenizerIsNamed() throws IOException {
        Path text = Files.writeString(folder.resolve("text.txt"), "a b a b\n".repeat(40));
        Path tokenizer = run.model().resolve("tokenizer.json");
        Files.writeString(tokenizer, TOKENIZER);
        Runs.Outcome outcome = Runs.run(words("wanda", "--calibration", text));
        assertThat(outcome.code()).as(outcome.err()).isZero();
        Files.write(tokenizer, new byte[0]);
        out = out.resolveSibling("other");
        assertRefused("tokenizer.json", "wanda", "--calibration", text);
        assertMistake(Runs.run("generate", run.model(), "--prompt", "a"), "tokenizer.json");
    }

    @ParameterizedTest
    @ValueSource(strings = {"text.txt", "text.jsonl"})
    void anEmptyTextIsNamed(String name) throws IOException {
        Files.writeString(run.model().resolve("tokenizer.json"), TOKENIZER);
        Path text = Files.write(folder.resolve(name), new byte[0]);
        assertRefused(name, "wanda", "--calibration", text);
        assertRefused(name, "wanda", "--text", text);
        assertMistake(Runs.run("evaluate", run.model(), "--text", text), name);
    }

    @Test
    void anEmptyRecipeIsNamed() throws IOException {
        Path recipe = Files.write(folder.resolve("empty.yaml"), new byte[0]);
        assertRefused("empty.yaml", recipe.toString());
        Files.writeString(recipe, "---\n# nothing\n");
        assertRefused("empty.yaml", recipe.toString());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "../model-00001-of-00002.safetensors",
                "../../../../../../etc/passwd",
                "sub/../model-00001-of-00002.safetensors",
                "..",
                "/etc/passwd",
                "/model-00001-of-00002.safetensors",
                "..\\\\model-00001-of-00002.safetensors",
                "file:model-00001-of-00002.safetensors",
                "",
                ".safetensors",
                "model\\u0000.safetensors",
            })
    void anIndexThatLeadsElsewhereIsNotFollowed(String shard) throws IOException {
        Path index = run.model().resolve(INDEX);
        Files.copy(run.model().resolve(SHARD), run.model().resolveSibling(SHARD));
        Files.writeString(
                index, Files.readString(index).replace("\"" + SHARD + "\"", "\"" + shard + "\""));
        assertRefused(INDEX, "wanda");
        assertMistake(Runs.run("inspect", run.model()), "do not trust this checkpoint");
    }

    @Test
    void anAbsolutePathOfTheVeryShardIsNotFollowed() throws IOException {
        Path index = run.model().resolve(INDEX);
        String absolute = run.model().resolve(SHARD).toAbsolutePath().toString();
        Files.writeString(index, Files.readString(index).replace(SHARD, absolute));
        assertRefused("do not trust this checkpoint", "magnitude");
    }

    @Test
    void aShardMayBeALinkAndWhatItLeadsToStaysAsItWas() throws IOException {
        assertThat(run.run(out, "wanda").code()).isZero();
        Path shard = run.model().resolve(SHARD);
        Path blob = Files.move(shard, folder.resolve("4711"));
        Files.createSymbolicLink(shard, Path.of("../../4711"));
        byte[] before = Files.readAllBytes(blob);
        Path linked = out.resolveSibling("linked");
        Runs.Outcome outcome = run.run(linked, "wanda");
        assertThat(outcome.code()).as(outcome.err()).isZero();
        assertThat(linked.resolve(SHARD))
                .isRegularFile()
                .hasSameBinaryContentAs(out.resolve(SHARD));
        assertThat(Files.isSymbolicLink(linked.resolve(SHARD))).isFalse();
        assertThat(blob).hasBinaryContent(before);
    }

    @Test
    void aLinkThatLeadsNowhereOrRoundInACircleIsNamed() throws IOException {
        Path shard = run.model().resolve(SHARD);
        for (String target : List.of("nowhere", SHARD, "..", "/dev/zero")) {
            Files.delete(shard);
            Files.createSymbolicLink(shard, Path.of(target));
            assertRefused(SHARD, "wanda");
        }
    }

    private void assertRefused(String named, String recipe, Object... options) throws IOException {
        List<String> before = content(run.model());
        assertMistake(Runs.run(words(recipe, options)), named);
        try (Stream<Path> left = Files.list(out.resolveSibling(""))) {
            assertThat(left.filter(path -> !path.endsWith("out")).toList()).isEmpty();
        }
        assertThat(content(run.model())).isEqualTo(before);
    }

    /** The command with other values of some of its options. */
    private Object[] words(String recipe, Object... options) {
        List<Object> words = new ArrayList<>(run.command(out, recipe));
        for (int i = 0; i < options.length; i += 2) {
            words.set(words.indexOf(options[i]) + 1, options[i + 1]);
        }
        return words.toArray();
    }

    /** Names, links and bytes. */
    private static List<String> content(Path folder) throws IOException {
        List<String> content = new ArrayList<>();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.sorted().toList()) {
                content.add(
                        file.getFileName()
                                + (Files.isSymbolicLink(file)
                                        ? " -> " + Files.readSymbolicLink(file)
                                        : " = " + Arrays.hashCode(Files.readAllBytes(file))));
            }
        }
        return content;
    }

    private static void assertMistake(Runs.Outcome outcome, String named) {
        assertThat(outcome.err()).startsWith("espalier: ").contains(named);
        assertThat(outcome.err().lines()).as(outcome.err()).hasSize(1);
        assertThat(outcome.code()).as(outcome.err()).isEqualTo(Main.USER_ERROR);
        assertThat(outcome.out()).isEmpty();
    }
}
