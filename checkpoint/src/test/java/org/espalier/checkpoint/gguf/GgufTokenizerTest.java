package org.espalier.checkpoint.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.espalier.checkpoint.Tokenizer;
import org.espalier.checkpoint.sentencepiece.PieceMerges;
import org.espalier.core.UserError;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tokenizers out of GGUF metadata, against the tokenizer.json of the same model and against known ids. */
class GgufTokenizerTest {
    private static final List<String> TEXTS =
            List.of(
                    "",
                    "Once upon a time, there was a little girl named Lily.",
                    "  two spaces,   three,\ttab\n\nlines \n",
                    "caf\u00e9, na\u00efve, \u4f60\u597d\u4e16\u754c, \u65e5\u672c\u8a9e",
                    "\ud83d\ude00\ud83d\udc4d\ud83c\udffd emoji \ud83c\uddea\ud83c\uddfa",
                    "x = [1, 22, 333]; // 100% done's");

    @TempDir Path folder;

    private static Path real(String name) {
        String data = System.getenv("ESPALIER_DATA");
        Path path =
                (data == null
                                ? Path.of(System.getProperty("espalier.root", ".."))
                                        .resolve("../shared/data")
                                : Path.of(data))
                        .resolve(name);
        Assumptions.assumeTrue(Files.exists(path), "skipped: no real data at " + path);
        return path;
    }

    @Test
    void sentencePieceGivesTheIdsOfTheModelsOwnTokenizer() {
        Path model = real("lm-stories260k");
        try (GgufFile file = GgufFile.open(model.resolve("stories260k-f32.gguf"));
                Tokenizer ours = GgufTokenizer.open(file);
                Tokenizer theirs = Tokenizer.fromFolder(model)) {
            for (String text : TEXTS) {
                assertThat(ours.encode(text, true)).as(text).isEqualTo(theirs.encode(text, true));
                long[] ids = ours.encode(text, false);
                assertThat(ours.decode(ids)).as(text).isEqualTo(theirs.decode(ids));
            }
            assertThat(ours.bosId()).hasValue(1);
            assertThat(ours.eosId()).hasValue(2);
            assertThat(ours.addsBos()).isTrue();
            assertThat(ours.vocabularySize()).isEqualTo(512);
        }
    }

    @Test
    void byteLevelTextsComeBack() {
        try (GgufFile file = GgufFile.open(real("gguf/ggml-vocab-gpt-2.gguf"));
                Tokenizer tokenizer = GgufTokenizer.open(file)) {
            // The ids that OpenAI's encoder gives.
            assertThat(tokenizer.encode("Hello world", true)).containsExactly(15496, 995);
            for (String text : TEXTS) {
                assertThat(tokenizer.decode(tokenizer.encode(text, true))).isEqualTo(text);
            }
            assertThat(tokenizer.encode("<|endoftext|>", false)).containsExactly(50256);
            assertThat(tokenizer.bosId()).hasValue(50256);
            assertThat(tokenizer.addsBos()).isFalse();
            assertThat(tokenizer.vocabularySize()).isEqualTo(50257);
        }
    }

    @Test
    void mergesFollowTheScores() {
        List<String> tokens = List.of("a", "b", "c", "ab", "bc", "abc");
        List<PieceMerges.Merge> merges =
                PieceMerges.of(
                        tokens,
                        List.of(0.0, 0.0, 0.0, -2.0, -1.0, -3.0),
                        List.of(1L, 1L, 1L, 1L, 1L, 1L),
                        java.util.Map.of("a", 0, "b", 1, "c", 2, "ab", 3, "bc", 4, "abc", 5));
        List<String> pairs = new ArrayList<>();
        merges.forEach(merge -> pairs.add(merge.left() + " " + merge.right()));
        assertThat(pairs).containsExactly("b c", "a b", "ab c", "a bc");
    }

    private void refused(UnaryOperator<GgufBuilder> tokenizer, String message) {
        Path path = tokenizer.apply(new GgufBuilder()).write(folder, "x.gguf");
        try (GgufFile file = GgufFile.open(path)) {
            assertThatThrownBy(() -> GgufTokenizer.open(file))
                    .isInstanceOf(UserError.class)
                    .hasMessageContaining(message)
                    .hasMessageContaining("x.gguf");
        }
    }

    private static GgufBuilder bytes(GgufBuilder builder, String pre, String merge) {
        return builder.text("tokenizer.ggml.model", "gpt2")
                .text("tokenizer.ggml.pre", pre)
                .texts("tokenizer.ggml.tokens", List.of("a", "b", "ab"))
                .texts("tokenizer.ggml.merges", List.of(merge));
    }

    @Test
    void whatCannotBeTranslatedIsRefused() {
        List<String> two = List.of("a", "b");
        String model = "tokenizer.ggml.model";
        String tokens = "tokenizer.ggml.tokens";
        refused(file -> file, "lacks the metadata 'tokenizer.ggml.tokens'");
        refused(file -> file.text(model, "bert").texts(tokens, two), "'bert'");
        refused(file -> file.text(model, "gpt2").texts(tokens, List.of("a", "a")), "as 0 and 1");
        refused(file -> file.text(model, "llama").texts(tokens, two), "tokenizer.ggml.scores");
        refused(
                file ->
                        file.text(model, "llama")
                                .texts(tokens, two)
                                .f32s("tokenizer.ggml.scores", 1f),
                "1 and 2");
        refused(
                file ->
                        file.text(model, "llama")
                                .texts(tokens, two)
                                .i32s("tokenizer.ggml.token_type", 1),
                "1 and 2");
        refused(file -> bytes(file, "unheard-of", "a b"), "'unheard-of'");
        refused(file -> bytes(file, "gpt-2", "a c"), "the merge 'a c'");
        refused(file -> bytes(file, "gpt-2", "ab"), "the merge 'ab'");
        refused(
                file -> bytes(file, "gpt-2", "a b").u32("tokenizer.ggml.bos_token_id", 3),
                "a bos token below 3 but has 3");
    }

    @Test
    void everyKnownWayOfCuttingIsAccepted() {
        for (String pre : List.of("gpt-2", "llama-bpe", "qwen2", "smollm")) {
            Path path = bytes(new GgufBuilder(), pre, "a b").write(folder, pre + ".gguf");
            try (GgufFile file = GgufFile.open(path);
                    Tokenizer tokenizer = GgufTokenizer.open(file)) {
                assertThat(tokenizer.encode("abba", true)).as(pre).containsExactly(2, 1, 0);
            }
        }
    }
}
