package org.espalier.checkpoint;

import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Ids by token, read from a {@code tokenizer.json} that the tokenizers library has already accepted.
 *
 * @param ids token to id, added tokens included
 */
record Vocabulary(Map<String, Integer> ids) {
    static Vocabulary of(ObjectNode tokenizer) {
        Map<String, Integer> ids = new HashMap<>();
        JsonNode vocab = tokenizer.path("model").path("vocab");
        if (vocab.isArray()) {
            // Unigram: a list of [piece, log-probability]; the position is the id.
            for (int id = 0; id < vocab.size(); id++) {
                ids.put(vocab.get(id).path(0).asString(""), id);
            }
        } else {
            vocab.properties().forEach(entry -> ids.put(entry.getKey(), entry.getValue().asInt()));
        }
        // An added token that the model knows keeps the model's id, as in the library.
        for (JsonNode token : tokenizer.path("added_tokens")) {
            ids.putIfAbsent(token.path("content").asString(""), token.path("id").asInt(0));
        }
        return new Vocabulary(ids);
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
