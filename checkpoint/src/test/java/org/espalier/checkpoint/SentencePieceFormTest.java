package org.espalier.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.espalier.checkpoint.sentencepiece.SentencePieceBuilder;
import org.espalier.checkpoint.sentencepiece.SentencePieceModel;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What transformers does to a tokenizer.model besides what SentencePiece does. */
class SentencePieceFormTest {
    /** Ids: 0 unknown, 1 and 2 control, 3 the mark, 4 h, 5 i, 6 hi, 7 the mark and hi. */
    @TempDir Path folder;

    @BeforeEach
    void model() {
        Bytes.write(
                folder,
                "tokenizer.model",
                new SentencePieceBuilder()
                        .usual()
                        .normal("\u2581", -4)
                        .normal("h", -5)
                        .normal("i", -6)
                        .normal("hi", -1)
                        .normal("\u2581hi", -2)
                        .piece("<x>", 0, SentencePieceModel.Type.USER_DEFINED)
                        .build());
    }

    private void config(String json) {
        Bytes.write(folder, "tokenizer_config.json", json);
    }

    private void ids(String text, long... expected) {
        try (Tokenizer tokenizer = Tokenizer.fromFolder(folder)) {
            assertThat(tokenizer.encode(text, true)).as(text).containsExactly(expected);
        }
    }

    @Test
    void theClassDecidesWhetherATextBeginsWithBos() {
        ids("hi", 7);
        config("{\"tokenizer_class\": \"LlamaTokenizer\"}");
        ids("hi", 1, 7);
        config(
                "{\"tokenizer_class\": \"LlamaTokenizer\", \"add_bos_token\": false, \"add_eos_token\": true}");
        ids("hi", 7, 2);
        config("{\"tokenizer_class\": \"SomethingNew\", \"add_bos_token\": true}");
        ids("hi", 1, 7);
        try (Tokenizer tokenizer = Tokenizer.fromFolder(folder)) {
            assertThat(tokenizer.notes()).singleElement().asString().contains("'SomethingNew'");
            assertThat(tokenizer.bosId()).hasValue(1);
            assertThat(tokenizer.eosId()).hasValue(2);
        }
    }

    /** The ids of the documentation of LlamaTokenizer: behind a special token, legacy writes a blank. */
    @Test
    void legacyWritesABlankBehindSpecialTokensAndNewOnesDoNot() {
        config("{\"tokenizer_class\": \"LlamaTokenizer\", \"add_bos_token\": false}");
        ids("hi</s>hi", 7, 2, 7);
        ids("</s>hi", 2, 7);
        config(
                "{\"tokenizer_class\": \"LlamaTokenizer\", \"add_bos_token\": false, \"legacy\": false}");
        ids("hi</s>hi", 7, 2, 6);
        ids("</s>hi", 2, 6);
        config(
                "{\"tokenizer_class\": \"LlamaTokenizer\", \"add_bos_token\": false, \"add_prefix_space\": false}");
        ids("hi</s>hi", 6, 2, 6);
    }

    @Test
    void userDefinedPiecesWriteNoBlank() {
        ids("hi<x>hi", 7, 8, 6);
        try (Tokenizer tokenizer = Tokenizer.fromFolder(folder)) {
            assertThat(tokenizer.decode(new long[] {1, 7, 8, 6, 7, 2})).isEqualTo("hi<x>hi hi");
        }
    }

    @Test
    void tokensThatWereAddedLaterHaveTheIdsOfTheirFile() {
        Bytes.write(folder, "added_tokens.json", "{\"<im>\": 11}");
        ids("hi<im>hi", 7, 11, 7);
        config(
                """
                {"added_tokens_decoder": {
                  "1": {"content": "<begin>", "special": true},
                  "9": {"content": "<im>", "special": true, "rstrip": true, "lstrip": true}}}
                """);
        ids("hi  <im>  hi<begin>", 7, 9, 7, 1);
        try (Tokenizer tokenizer = Tokenizer.fromFolder(folder)) {
            assertThat(tokenizer.vocabularySize()).isEqualTo(10);
        }
    }

    @Test
    void aTokenizerJsonGoesBeforeIt() {
        Bytes.write(
                folder,
                "tokenizer.json",
                """
                {"version": "1.0", "added_tokens": [], "pre_tokenizer": {"type": "WhitespaceSplit"},
                 "model": {"type": "WordLevel", "unk_token": "a", "vocab": {"a": 0, "hi": 1}}}
                """);
        ids("hi", 1);
    }
}
