package org.espalier.checkpoint;

import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * A token that is found in a text before the text is cut.
 *
 * @param id its id; null where the file does not say
 * @param content what it is in a text
 * @param singleWord whether it counts only where no word goes on
 * @param lstrip whether it takes blanks before it along
 * @param rstrip whether it takes blanks behind it along
 * @param normalized whether it is looked for in the normalized text
 * @param special whether decoding leaves it out
 */
record AddedToken(
        @Nullable Integer id,
        String content,
        boolean singleWord,
        boolean lstrip,
        boolean rstrip,
        boolean normalized,
        boolean special) {
    /** A token that ends or begins something: found as it stands, left out when decoding. */
    static AddedToken special(@Nullable Integer id, String content) {
        return new AddedToken(id, content, false, false, false, false, true);
    }

    /** Reads what transformers writes of one; content is empty where there is none. */
    static AddedToken of(@Nullable Integer id, JsonNode json) {
        boolean special = json.path("special").asBoolean(false);
        return new AddedToken(
                id,
                json.path("content").asString(""),
                json.path("single_word").asBoolean(false),
                json.path("lstrip").asBoolean(false),
                json.path("rstrip").asBoolean(false),
                json.path("normalized").asBoolean(!special),
                special);
    }

    /** As {@code tokenizer.json} has it. */
    void put(ObjectNode json, int number) {
        json.put("id", number)
                .put("content", content)
                .put("single_word", singleWord)
                .put("lstrip", lstrip)
                .put("rstrip", rstrip)
                .put("normalized", normalized)
                .put("special", special);
    }
}
