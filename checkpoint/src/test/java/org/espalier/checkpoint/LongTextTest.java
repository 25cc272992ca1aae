package org.espalier.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** A text in pieces has the tokens of the whole, for tokenizers of every build. */
class LongTextTest {
    private static final int PIECE = 3000;
    private static final List<String> MERGES =
            List.of(
                    "a b",
                    "ab a",
                    "ab ab",
                    "\u2581 a",
                    "\u2581 \u2581",
                    "\u2581\u2581 \u2581\u2581",
                    "b a",
                    "c c",
                    "cc cc",
                    "\n \n",
                    "\u2581 b",
                    "\u2581b ab",
                    "\u00e9 a",
                    ". \n",
                    "\u2581a b",
                    "\u6f22 \u5b57");

    /** What stands in front of the model: the ways of Llama 2, T5, Mistral 3 and GPT-2. */
    private static Stream<String> builds() {
        return Stream.of(
                "\"normalizer\": {\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"Prepend\", \"prepend\": \"\u2581\"},"
                        + " {\"type\": \"Replace\", \"pattern\": {\"String\": \" \"}, \"content\": \"\u2581\"}]},"
                        + " \"pre_tokenizer\": null",
                "\"normalizer\": {\"type\": \"Replace\", \"pattern\": {\"String\": \" \"}, \"content\": \"\u2581\"},"
                        + " \"pre_tokenizer\": null",
                "\"normalizer\": null, \"pre_tokenizer\": {\"type\": \"Metaspace\", \"replacement\": \"\u2581\","
                        + " \"prepend_scheme\": \"always\", \"split\": true}",
                "\"normalizer\": {\"type\": \"NFKC\"}, \"pre_tokenizer\": {\"type\": \"Metaspace\","
                        + " \"replacement\": \"\u2581\", \"prepend_scheme\": \"first\", \"split\": false}",
                "\"normalizer\": null, \"pre_tokenizer\": {\"type\": \"WhitespaceSplit\"}");
    }

    @ParameterizedTest
    @MethodSource("builds")
    void piecesGiveTheTokensOfTheWhole(String build) {
        long seed = new Random().nextLong();
        try (Tokenizer tokenizer = tokenizer(build)) {
            for (String alphabet :
                    List.of(
                            "ab c.\n",
                            "abc",
                            "ab\n",
                            "\n\n ",
                            "a",
                            "\u6f22\u5b57",
                            "a\u00e9 \ud83d\ude00\n")) {
                String text = text(new Random(seed), alphabet, 7 * PIECE);
                long[] pieces =
                        LongText.encode(
                                text, part -> tokenizer.encode(part, false), Long.MAX_VALUE, PIECE);
                assertThat(pieces)
                        .as("alphabet '%s', seed %d", alphabet, seed)
                        .isEqualTo(tokenizer.encode(text, false));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("builds")
    void noMoreIsEncodedThanIsNeeded(String build) {
        String text = text(new Random(5), "ab c.\n", 7 * PIECE);
        try (Tokenizer tokenizer = tokenizer(build)) {
            long[] first = LongText.encode(text, part -> tokenizer.encode(part, false), 700, PIECE);
            long[] all = tokenizer.encode(text, false);
            assertThat(first.length).isBetween(700, all.length / 2);
            assertThat(all).startsWith(first);
        }
    }

    /** Beyond the size at which a text is taken to pieces, through the tokenizer's own door. */
    @ParameterizedTest
    @MethodSource("builds")
    void aLongTextKeepsItsBeginningToken(String build) {
        try (Tokenizer tokenizer = tokenizer(build)) {
            String line = "ab abc. c\n";
            String text = line.repeat(LongText.WHOLE / line.length() + 1);
            long[] ids = tokenizer.encode(text, true, 50);
            long[] few = tokenizer.encode(line.repeat(30), true);
            assertThat(ids.length).isGreaterThanOrEqualTo(50);
            assertThat(ids).startsWith(java.util.Arrays.copyOf(few, 40));
            assertThat(ids[0]).isEqualTo(1);
        }
    }

    private static String text(Random random, String alphabet, int length) {
        int[] letters = alphabet.codePoints().toArray();
        StringBuilder text = new StringBuilder();
        while (text.length() < length) {
            text.appendCodePoint(letters[random.nextInt(letters.length)]);
        }
        return text.toString();
    }

    private static Tokenizer tokenizer(String build) {
        ObjectNode json =
                (ObjectNode)
                        Json.MAPPER.readTree(
                                """
                                {"version": "1.0", "added_tokens": [
                                  {"id": 0, "content": "<unk>", "special": true, "single_word": false, "lstrip": false,
                                   "rstrip": false, "normalized": false},
                                  {"id": 1, "content": "<s>", "special": true, "single_word": false, "lstrip": false,
                                   "rstrip": false, "normalized": false}],
                                 %s,
                                 "post_processor": {"type": "TemplateProcessing",
                                   "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}},
                                              {"Sequence": {"id": "A", "type_id": 0}}],
                                   "pair": [{"Sequence": {"id": "A", "type_id": 0}},
                                            {"Sequence": {"id": "B", "type_id": 1}}],
                                   "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}},
                                 "decoder": null,
                                 "model": {"type": "BPE", "unk_token": "<unk>", "fuse_unk": true, "byte_fallback": true}}
                                """
                                        .formatted(build));
        List<String> pieces = new ArrayList<>(List.of("<unk>", "<s>"));
        for (int b = 0; b < 256; b++) {
            pieces.add("<0x%02X>".formatted(b));
        }
        "abc.\n\u2581\u00e9\u6f22\u5b57"
                .codePoints()
                .forEach(c -> pieces.add(Character.toString(c)));
        ObjectNode model = (ObjectNode) json.get("model");
        ArrayNode merges = model.putArray("merges");
        for (String merge : MERGES) {
            String[] halves = merge.split(" ", 2);
            merges.addArray().add(halves[0]).add(halves[1]);
            pieces.add(halves[0] + halves[1]);
        }
        ObjectNode vocabulary = model.putObject("vocab");
        for (String piece : pieces) {
            vocabulary.put(piece, vocabulary.size());
        }
        return Tokenizer.of("a tokenizer", json, OptionalInt.of(1), OptionalInt.empty());
    }
}
