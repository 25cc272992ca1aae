package org.espalier.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.espalier.core.UserError;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TokenizerTest {
    private static final String WORDS =
            """
            {"version": "1.0",
             "truncation": {"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0},
             "padding": {"strategy": {"Fixed": 50}, "direction": "Right", "pad_to_multiple_of": null,
                         "pad_id": 0, "pad_type_id": 0, "pad_token": "[UNK]"},
             "added_tokens": [{"id": 7, "content": "<end>", "single_word": false, "lstrip": false,
                               "rstrip": false, "normalized": false, "special": true}],
             "normalizer": null, "pre_tokenizer": {"type": "WhitespaceSplit"},
             "post_processor": null, "decoder": null,
             "model": {"type": "WordLevel", "unk_token": "[UNK]",
                       "vocab": {"[UNK]": 0, "a": 1, "cat": 2, "sat": 3}}}
            """;

    /** Declared as 7, but the library numbers an added token that the model does not know after the model's own. */
    private static final long END = 4;

    @TempDir Path folder;

    @Test
    void stories260kPutsBosInFrontAndRoundTripsText() {
        try (Checkpoint checkpoint = Checkpoint.open(RealData.path("lm-stories260k"))) {
            Tokenizer tokenizer = checkpoint.tokenizer();
            String text =
                    "Once upon a time, there was a little girl named Zoë 😀.\nShe had 3 cats.";
            long[] full = tokenizer.encode(text, true);
            long[] plain = tokenizer.encode(text, false);
            assertThat(full[0]).isEqualTo(1);
            assertThat(full).hasSize(plain.length + 1).endsWith(plain);
            assertThat(tokenizer.decode(full)).isEqualTo(text);
            assertThat(tokenizer.bosId()).hasValue(1);
            assertThat(tokenizer.eosId()).hasValue(2);
            assertThat(tokenizer.addsBos()).isTrue();
            assertThat(tokenizer.vocabularySize()).isEqualTo(512);
        }
    }

    @Test
    void longTextIsNotCut() {
        try (Tokenizer tokenizer = Tokenizer.fromFolder(RealData.path("lm-stories260k"))) {
            String text = "Lily likes cats. ".repeat(3000).strip();
            long[] ids = tokenizer.encode(text, true);
            assertThat(tokenizer.decode(ids)).isEqualTo(text);
        }
    }

    @Test
    void truncationAndPaddingOfTheFileAreIgnored() {
        Bytes.write(folder, "tokenizer.json", WORDS);
        Bytes.write(
                folder,
                "tokenizer_config.json",
                "{\"eos_token\": {\"content\": \"<end>\"}, \"bos_token\": null}");
        try (Tokenizer tokenizer = Tokenizer.fromFolder(folder)) {
            assertThat(tokenizer.encode("a cat sat a cat x <end>", true))
                    .containsExactly(1, 2, 3, 1, 2, 0, END);
            assertThat(tokenizer.encode("", true)).isEmpty();
            assertThat(tokenizer.decode(new long[0])).isEmpty();
            assertThat(tokenizer.decode(new long[] {2, END, 3})).isEqualTo("cat sat");
            assertThat(tokenizer.eosId()).hasValue((int) END);
            assertThat(tokenizer.bosId()).isEmpty();
            assertThat(tokenizer.addsBos()).isFalse();
            assertThat(tokenizer.vocabularySize()).isEqualTo(5);
        }
    }

    @Test
    void withoutNamesTheConfigTellsTheIds() {
        Bytes.write(folder, "tokenizer.json", WORDS);
        Bytes.write(folder, "config.json", "{\"bos_token_id\": null, \"eos_token_id\": [3, 2]}");
        Bytes.write(folder, "generation_config.json", "{\"bos_token_id\": 1}");
        try (Tokenizer tokenizer = Tokenizer.fromFolder(folder)) {
            assertThat(tokenizer.bosId()).hasValue(1);
            assertThat(tokenizer.eosId()).hasValue(3);
        }
    }

    @Test
    void textThatIsNoTextIsReplacedAndIdsBeyondTheVocabularyAreSkipped() {
        Bytes.write(folder, "tokenizer.json", WORDS);
        try (Tokenizer tokenizer = Tokenizer.fromFolder(folder)) {
            assertThat(tokenizer.encode("a \ud800 \u0000 cat", false)).containsExactly(1, 0, 0, 2);
            assertThat(tokenizer.decode(new long[] {1, 4000, 2})).isEqualTo("a cat");
            assertThatThrownBy(() -> tokenizer.decode(new long[] {-1}))
                    .isInstanceOf(UserError.class);
        }
    }

    @Test
    void aTextWithoutTokensIsOneClearLine() {
        Bytes.write(
                folder,
                "tokenizer.json",
                WORDS.replace("\"unk_token\": \"[UNK]\"", "\"unk_token\": \"?\""));
        try (Tokenizer tokenizer = Tokenizer.fromFolder(folder)) {
            assertThat(tokenizer.encode("a cat", false)).containsExactly(1, 2);
            assertThatThrownBy(() -> tokenizer.encode("a dog", false))
                    .isInstanceOf(UserError.class)
                    .hasMessageContaining("'a dog'");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "[]",
                "{}",
                "{\"version\": \"9\"}",
                "{\"version\": \"1.0\", \"model\": {\"type\": \"Nonsense\"}}",
                "{\"version\": \"1.0\", \"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0}, \"merges\": [\"x y\"]}}"
            })
    void aTokenizerThatIsNoneIsOneClearLine(String json) {
        Path file = Bytes.write(folder, "tokenizer.json", json.getBytes(StandardCharsets.UTF_8));
        assertThatThrownBy(() -> Tokenizer.fromFile(file).close())
                .isInstanceOf(UserError.class)
                .hasMessageContaining("tokenizer.json")
                .message()
                .hasLineCount(1);
    }
}
