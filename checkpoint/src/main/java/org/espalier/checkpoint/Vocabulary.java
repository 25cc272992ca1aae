package org.espalier.checkpoint;

import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;
import org.espalier.core.UserError;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Ids by token, read from a {@code tokenizer.json} that the tokenizers library has already accepted.
 *
 * @param ids token to id, added tokens included
 */
record Vocabulary(Map<String, Integer> ids) {
    /** Far beyond any vocabulary, and room for added tokens below the largest int. */
    private static final int HIGHEST = 1 << 30;

    static Vocabulary of(ObjectNode tokenizer) {
        Map<String, Integer> ids = new HashMap<>();
        JsonNode vocab = tokenizer.path("model").path("vocab");
        if (vocab.isArray()) {
            // Unigram: a list of [piece, log-probability]; the position is the id.
            for (int id = 0; id < vocab.size(); id++) {
                ids.put(vocab.get(id).path(0).asString(""), id);
            }
        } else {
            vocab.properties()
                    .forEach(
                            entry -> ids.put(entry.getKey(), id(entry.getKey(), entry.getValue())));
        }
        int modelSize = ids.size();
        int highest = -1;
        for (JsonNode token : tokenizer.path("added_tokens")) {
            String content = token.path("content").asString("");
            if (!content.isEmpty()) {
                // The library believes neither gaps nor declared ids: a token that the model does
                // not know is
                // numbered on, whatever "id" says (added_vocabulary.rs).
                int next = Math.max(modelSize, highest + 1);
                highest = Math.max(highest, ids.computeIfAbsent(content, key -> next));
            }
        }
        return new Vocabulary(ids);
    }

    /** The library takes 32 bits without a sign, which an int does not hold. */
    private static int id(String token, JsonNode value) {
        int id = value.asInt(-1);
        if (id < 0 || id > HIGHEST) {
            throw new UserError(
                    "the tokenizer gives "
                            + Text.quote(token)
                            + " the id "
                            + Text.line(value.toString())
                            + ", which no vocabulary reaches; get tokenizer.json again from the model's source");
        }
        return id;
    }

    /** One more than the highest id. */
    int size() {
        return ids.values().stream().mapToInt(Integer::intValue).max().orElse(-1) + 1;
    }

    OptionalInt id(String token) {
        Integer id = ids.get(token);
        return id == null ? OptionalInt.empty() : OptionalInt.of(id);
    }
}
