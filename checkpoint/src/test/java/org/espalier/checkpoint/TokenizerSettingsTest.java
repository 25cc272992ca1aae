package org.espalier.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the files beside a tokenizer.json change, by the rules of transformers. */
class TokenizerSettingsTest {
    private static final String WORDS =
            """
            {"version": "1.0", "truncation": null, "padding": null,
             "added_tokens": [], "normalizer": null, "pre_tokenizer": {"type": "WhitespaceSplit"},
             "post_processor": %s, "decoder": null,
             "model": {"type": "WordLevel", "unk_token": "<unk>",
                       "vocab": {"<unk>": 0, "<s>": 1, "</s>": 2, "<a>": 3, "<b>": 4, "cat": 5}}}
            """;

    private static final String TEMPLATE =
            """
            {"type": "TemplateProcessing",
             "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
             "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
             "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}}
            """;

    @TempDir Path folder;

    @BeforeEach
    void withoutATemplate() {
        tokenizer("null");
    }

    private void tokenizer(String postProcessor) {
        Bytes.write(folder, "tokenizer.json", WORDS.formatted(postProcessor));
    }

    private void config(String json) {
        Bytes.write(folder, "tokenizer_config.json", json);
    }

    private void ids(String text, long... expected) {
        try (Tokenizer tokenizer = Tokenizer.fromFolder(folder)) {
            assertThat(tokenizer.encode(text, true)).containsExactly(expected);
        }
    }

    private void note(String... words) {
        try (Tokenizer tokenizer = Tokenizer.fromFolder(folder)) {
            assertThat(tokenizer.notes())
                    .singleElement()
                    .asString()
                    .contains(words)
                    .hasLineCount(1);
        }
    }

    private void noNote() {
        try (Tokenizer tokenizer = Tokenizer.fromFolder(folder)) {
            assertThat(tokenizer.notes()).isEmpty();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "LlamaTokenizer, true, false",
        "LlamaTokenizerFast, true, true",
        "CodeLlamaTokenizer, false, true",
        "GemmaTokenizer, true, true",
        "CohereTokenizerFast, true, false",
        "GPTNeoXTokenizer, true, true"
    })
    void theSwitchesOfClassesThatLookAtThemDecide(String name, boolean bos, boolean eos) {
        config(
                """
                {"tokenizer_class": "%s", "add_bos_token": %s, "add_eos_token": %s,
                 "bos_token": "<s>", "eos_token": {"content": "</s>", "lstrip": false}}
                """
                        .formatted(name, bos, eos));
        try (Tokenizer tokenizer = Tokenizer.fromFolder(folder)) {
            assertThat(tokenizer.addsBos()).isEqualTo(bos);
            assertThat(tokenizer.addsEos()).isEqualTo(eos);
            assertThat(tokenizer.bosId()).hasValue(1);
            assertThat(tokenizer.eosId()).hasValue(2);
        }
        note("tokenizer.json", name, "as in transformers");
    }

    @Test
    void theDefaultOfTheClassHoldsWhereNoFileSays() {
        config("{\"tokenizer_class\": \"LlamaTokenizer\"}");
        ids("cat", 1, 5);
        config("{\"tokenizer_class\": \"GPTNeoXTokenizer\", \"bos_token\": \"<s>\"}");
        ids("cat", 5);
        noNote();
    }

    @Test
    void theModelTypeNamesTheClassWhereNoFileDoes() {
        Bytes.write(folder, "config.json", "{\"model_type\": \"llama\"}");
        ids("cat", 1, 5);
        Bytes.write(
                folder,
                "config.json",
                "{\"model_type\": \"llama\", \"tokenizer_class\": \"PreTrainedTokenizerFast\"}");
        ids("cat", 5);
    }

    @Test
    void aSwitchThatIsOffTakesTheTokenOfTheTemplateAway() {
        tokenizer(TEMPLATE);
        config("{\"tokenizer_class\": \"LlamaTokenizer\", \"add_bos_token\": false}");
        ids("cat", 5);
        note("'<s>' before", "nothing before", "the latter counts");
    }

    @Test
    void agreementIsNotWorthANote() {
        tokenizer(TEMPLATE);
        config("{\"tokenizer_class\": \"LlamaTokenizer\", \"add_bos_token\": true}");
        ids("cat", 1, 5);
        noNote();
    }

    @ParameterizedTest
    @CsvSource({"PreTrainedTokenizerFast", "Qwen2Tokenizer", "GPT2TokenizerFast"})
    void classesThatLeaveItToTheTemplateAreToldApart(String name) {
        config(
                "{\"tokenizer_class\": \"%s\", \"add_bos_token\": true, \"bos_token\": \"<s>\"}"
                        .formatted(name));
        ids("cat", 5);
        note("add_bos_token: true", "adds none", "tokenizer.json counts", name);
    }

    @Test
    void aTokenThatTheVocabularyLacksLeavesTheTemplateAlone() {
        tokenizer(TEMPLATE);
        config(
                "{\"tokenizer_class\": \"LlamaTokenizer\", \"add_bos_token\": true, \"bos_token\": \"<nowhere>\"}");
        ids("cat", 1, 5);
        note("the vocabulary has none");
    }

    @Test
    void theMapGoesBeforeTheConfigUnlessThatListsItsTokens() {
        Bytes.write(
                folder,
                "special_tokens_map.json",
                "{\"bos_token\": {\"content\": \"<b>\"}, \"eos_token\": \"</s>\"}");
        config(
                "{\"tokenizer_class\": \"LlamaTokenizer\", \"bos_token\": \"<a>\", \"add_bos_token\": true}");
        ids("cat", 4, 5);
        config(
                """
                {"tokenizer_class": "LlamaTokenizer", "bos_token": "<a>", "add_bos_token": true,
                 "added_tokens_decoder": {"3": {"content": "<a>", "special": true}}}
                """);
        ids("cat", 3, 5);
        try (Tokenizer tokenizer = Tokenizer.fromFolder(folder)) {
            assertThat(tokenizer.notes())
                    .anySatisfy(note ->
                            assertThat(note)
                                    .contains(
                                            "bos token",
                                            "'<a>'",
                                            "'<b>'",
                                            "tokenizer_config.json counts"));
        }
    }

    @Test
    void tokensThatOnlyTheFilesBesideKnowAreFoundInTexts() {
        config(
                """
                {"added_tokens_decoder":
                  {"6": {"content": "<im>", "special": true}, "3": {"content": "<a>", "special": true}}}
                """);
        ids("cat<a>cat<im>", 5, 3, 5, 6);
        Bytes.write(folder, "added_tokens.json", "{\"<jm>\": 6}");
        config("{}");
        ids("<jm>cat", 6, 5);
        Bytes.write(folder, "added_tokens.json", "{}");
        ids("<jm>cat", 0);
    }

    @Test
    void aSpecialTokenOfTheVocabularyIsFoundInsideWords() {
        ids("cat</s>", 0);
        Bytes.write(folder, "special_tokens_map.json", "{\"eos_token\": \"</s>\"}");
        ids("cat</s>", 5, 2);
        try (Tokenizer tokenizer = Tokenizer.fromFolder(folder)) {
            assertThat(tokenizer.decode(new long[] {5, 2})).isEqualTo("cat");
        }
    }

    @Test
    void thePrefixBlankIsThatOfTheConfig() {
        Bytes.write(
                folder,
                "tokenizer.json",
                WORDS.formatted("null")
                        .replace(
                                "\"WhitespaceSplit\"",
                                "\"ByteLevel\", \"add_prefix_space\": false, \"trim_offsets\": true")
                        .replace("\"cat\": 5", "\"cat\": 5, \"\u0120cat\": 6"));
        ids("cat", 5);
        config("{\"add_prefix_space\": true}");
        ids("cat", 6);
        note("add_prefix_space is true");
    }
}
