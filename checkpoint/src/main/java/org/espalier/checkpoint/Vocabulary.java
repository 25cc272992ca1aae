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
            vocab.properties().forEach(entry -> ids.put(entry.getKey(), entry.getValue().asInt(0)));
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

    /** One more than the highest id. */
    int size() {
        return ids.values().stream().mapToInt(Integer::intValue).max().orElse(-1) + 1;
    }

    OptionalInt id(String token) {
        Integer id = ids.get(token);
        return id == null ? OptionalInt.empty() : OptionalInt.of(id);
    }
}
