package org.espalier.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.espalier.core.UserError;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Each of these ends the process in the tokenizers library; without the check this test does not come back. */
class TokenizerCheckTest {
    @TempDir Path folder;

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '`',
            value = {
                "normalizer; {'type': 'Precompiled', 'precompiled_charsmap': 'AQI='}; table of characters",
                "normalizer; {'type': 'Precompiled', 'precompiled_charsmap': '#'}; table of characters",
                "normalizer; {'type': 'Precompiled', 'precompiled_charsmap': ''}; table of characters",
                "normalizer; {'type': 'Precompiled', 'precompiled_charsmap': 'CAAAAAD8/38FAAAAAAA='}; table of characters",
                "normalizer; {'type': 'Replace', 'pattern': {'Regex': '(x+x+)+y'}, 'content': ''}; for ever",
                "pre_tokenizer; {'type': 'Split', 'pattern': {'Regex': '(a+)+$'}, 'behavior': 'Isolated', 'invert': false}; for ever",
                "pre_tokenizer; {'type': 'FixedLength', 'length': 0}; no length",
                "post_processor; {'type': 'TemplateProcessing', 'single': [{'SpecialToken': {'id': '<x>', 'type_id': 0}}], 'pair': [], 'special_tokens': {}}; '<x>'"
            })
    void whatEndsTheProcessIsRefused(String part, String json, String message) {
        String tokenizer =
                """
                {'version': '1.0', 'added_tokens': [], '%s': %s,
                 'model': {'type': 'WordLevel', 'unk_token': 'u', 'vocab': {'u': 0, 'a': 1}}}
                """
                        .formatted(part, json)
                        .replace('\'', '"');
        refused(tokenizer, message.replace('\'', '"').equals(message) ? message : "<x>");
    }

    @Test
    void mergesThatDoNotContinueAreRefused() {
        refused(
                """
                {"version": "1.0", "added_tokens": [],
                 "model": {"type": "BPE", "continuing_subword_prefix": "##",
                           "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]}}
                """,
                "'##'");
    }

    private void refused(String tokenizer, String message) {
        Bytes.write(folder, "tokenizer.json", tokenizer);
        assertThatThrownBy(
                        () -> {
                            try (Tokenizer opened = Tokenizer.fromFolder(folder)) {
                                opened.encode("x".repeat(60), true);
                            }
                        })
                .isInstanceOf(UserError.class)
                .hasMessageContaining("tokenizer.json")
                .hasMessageContaining(message)
                .message()
                .hasLineCount(1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "(a+)+",
                "(?:a*b)*",
                "((a+)b){2,}",
                "(a|b+)*c",
                "x(y(z+))+",
                "(a|aa)+\\1b$",
                "(a|aa)+b",
                "(?:[ab]|b)*c",
                "(a?|b)+c",
                "(x)y\\1",
                "(?<w>x)\\k<w>",
            })
    void whatCanTryForEverIsFound(String regex) {
        assertThat(TokenizerCheck.canTryForEver(regex)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "'s| ?\\p{L}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
                "(?i:'s|'t)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}",
                "((?=[\\p{L}])([^a-z]))*((?=[\\p{L}])([^A-Z]))+",
                "(?=(\\d{3})+(?!\\d))",
                "[(+)*]+(ab)+",
                "\\(a+\\)+",
                "[^\\r\\n\\p{L}\\p{N}]?(?:\\p{L}\\p{M}*(?: \\p{L}\\p{M}*)*)+|\\p{N}",
                "[]+]+(a{2})+",
                "(a++b)+",
                "(?:\\r|\\n)+x",
                "(?:a|b)*+c",
                "(a|b)?c|d"
            })
    void whatModelsUseIsLeftAlone(String regex) {
        assertThat(TokenizerCheck.canTryForEver(regex)).isFalse();
    }
}
