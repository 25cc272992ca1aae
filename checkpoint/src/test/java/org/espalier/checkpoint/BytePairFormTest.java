package org.espalier.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.espalier.core.UserError;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.node.ObjectNode;

/** vocab.json with merges.txt, against GPT-2's own way of encoding, written down plainly. */
class BytePairFormTest {
    private static final Pattern WORDS =
            Pattern.compile(
                    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
                    Pattern.UNICODE_CHARACTER_CLASS);

    private static final List<String> TEXTS =
            List.of(
                    "",
                    " ",
                    "the other then",
                    "  the  there   ",
                    "\tthe\n\nthe\r\n",
                    "It's 12345 the'll \u00fcber \u4f60\u597d \ud83d\ude00",
                    "\u0928\u092e\u0938\u094d\u0924\u0947 e\u0301 \u0000\u007f \ua980");

    @TempDir Path folder;

    private final Map<String, Integer> vocabulary = new LinkedHashMap<>();
    private final List<String> merges = new ArrayList<>();

    /** As OPT has it: special tokens first, then bytes, then what is merged. */
    @BeforeEach
    void files() {
        for (String token : List.of("<s>", "<pad>", "</s>", "<unk>")) {
            vocabulary.put(token, vocabulary.size());
        }
        for (int value = 0; value < 256; value++) {
            vocabulary.put(Character.toString(shown(value)), vocabulary.size());
        }
        for (String merge :
                List.of(
                        "t h",
                        "th e",
                        "\u0120 the",
                        "e r",
                        "the r",
                        "\u0120 \u0120",
                        "\u0120 t",
                        "1 2",
                        "\u00c3 \u00bc",
                        "r e")) {
            merges.add(merge);
            vocabulary.put(merge.replace(" ", ""), vocabulary.size());
        }
        ObjectNode json = Json.MAPPER.createObjectNode();
        vocabulary.forEach(json::put);
        Bytes.write(folder, "vocab.json", json.toString().getBytes(StandardCharsets.UTF_8));
        merges("#version: 0.2\n" + String.join("\n", merges) + "\n");
    }

    private long id(String token) {
        return vocabulary.getOrDefault(token, -1);
    }

    private void merges(String text) {
        Bytes.write(folder, "merges.txt", text.getBytes(StandardCharsets.UTF_8));
    }

    private static boolean isItself(int value) {
        return (value >= '!' && value <= '~') || (value >= 0xA1 && value <= 0xAC) || value >= 0xAE;
    }

    /** The character that stands for a byte. */
    private static int shown(int value) {
        if (isItself(value)) {
            return value;
        }
        return 256 + (int) IntStream.range(0, value).filter(other -> !isItself(other)).count();
    }

    /** The best merge first, wherever it is, until there is none. */
    private List<Long> plainly(String text) {
        List<Long> ids = new ArrayList<>();
        Matcher words = WORDS.matcher(text);
        while (words.find()) {
            List<String> parts = new ArrayList<>();
            for (byte value : words.group().getBytes(StandardCharsets.UTF_8)) {
                parts.add(Character.toString(shown(Byte.toUnsignedInt(value))));
            }
            for (boolean merged = true; merged; ) {
                merged = false;
                for (int rank = 0; rank < merges.size() && !merged; rank++) {
                    for (int at = 0; at + 1 < parts.size(); at++) {
                        if (merges.get(rank).equals(parts.get(at) + " " + parts.get(at + 1))) {
                            parts.set(at, parts.get(at) + parts.remove(at + 1));
                            merged = true;
                        }
                    }
                }
            }
            parts.forEach(part -> ids.add(id(part)));
        }
        return ids;
    }

    private void same(String before, long... added) {
        try (Tokenizer tokenizer = Tokenizer.fromFolder(folder)) {
            for (String text : TEXTS) {
                List<Long> expected = new ArrayList<>();
                for (long id : added) {
                    expected.add(id);
                }
                expected.addAll(
                        plainly(text.isEmpty() || text.startsWith(before) ? text : before + text));
                assertThat(tokenizer.encode(text, true))
                        .as("<%s>", text)
                        .containsExactly(expected.toArray(Long[]::new));
                assertThat(tokenizer.decode(tokenizer.encode(text, false))).endsWith(text);
            }
            assertThat(tokenizer.notes()).isEmpty();
        }
    }

    @Test
    void theIdsAreThoseOfThePlainWay() {
        same("");
        Bytes.write(folder, "tokenizer_config.json", "{\"tokenizer_class\": \"GPT2Tokenizer\"}");
        same("");
    }

    @Test
    void optBeginsWithItsOwnToken() {
        Bytes.write(folder, "config.json", "{\"model_type\": \"opt\"}");
        Bytes.write(
                folder,
                "tokenizer_config.json",
                """
                {"add_bos_token": true, "bos_token": {"content": "</s>", "normalized": true},
                 "eos_token": {"content": "</s>"}, "pad_token": "<pad>", "tokenizer_class": "GPT2Tokenizer"}
                """);
        same("", 2);
        try (Tokenizer tokenizer = Tokenizer.fromFolder(folder)) {
            assertThat(tokenizer.addsBos()).isTrue();
            assertThat(tokenizer.eosId()).hasValue(2);
            assertThat(tokenizer.encode("the</s>the", true)).containsExactly(2, 261, 2, 261);
            assertThat(tokenizer.decode(new long[] {2, 261, 2})).isEqualTo("the");
        }
    }

    @Test
    void aPrefixBlankIsWrittenWhereTheConfigSays() {
        Bytes.write(folder, "tokenizer_config.json", "{\"add_prefix_space\": true}");
        same(" ");
    }

    @Test
    void addedTokensHaveTheIdsOfTheirFile() {
        Bytes.write(folder, "added_tokens.json", "{\"<im>\": 300}");
        try (Tokenizer tokenizer = Tokenizer.fromFolder(folder)) {
            assertThat(tokenizer.encode("the<im>the", true)).containsExactly(261, 300, 261);
            assertThat(tokenizer.vocabularySize()).isEqualTo(301);
        }
    }

    @Test
    void qwenNormalizesAndCutsInItsOwnWay() {
        Bytes.write(folder, "tokenizer_config.json", "{\"tokenizer_class\": \"Qwen2Tokenizer\"}");
        try (Tokenizer tokenizer = Tokenizer.fromFolder(folder)) {
            assertThat(tokenizer.encode("u\u0308", false)).containsExactly(id("\u00c3\u00bc"));
            // Digits stand alone, so these two are not merged.
            assertThat(tokenizer.encode("12", false)).containsExactly(id("1"), id("2"));
        }
    }

    @Test
    void windowsLineEndsAndAMissingHeaderDoNotMatter() {
        merges(String.join("\r\n", merges));
        same("");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "#version\nt h e\n",
                "#version\nth\n",
                "#version\n the\n",
                "#version\nt zz\n"
            })
    void mergesThatAreNoneAreRefusedInOneLine(String text) {
        merges(text);
        assertThatThrownBy(() -> Tokenizer.fromFolder(folder).close())
                .isInstanceOf(UserError.class)
                .hasMessageContaining("merges.txt")
                .message()
                .hasLineCount(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"[]", "{\"a\": -1}", "{\"a\": \"b\"}", "{\"a\": 99999999999}"})
    void aVocabularyThatIsNoneIsRefusedInOneLine(String text) {
        Bytes.write(folder, "vocab.json", text);
        assertThatThrownBy(() -> Tokenizer.fromFolder(folder).close())
                .isInstanceOf(UserError.class)
                .message()
                .hasLineCount(1);
    }
}
