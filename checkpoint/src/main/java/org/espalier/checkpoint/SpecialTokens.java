package org.espalier.checkpoint;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The ids that begin and end a text. Checkpoints name them in several places; the first that does wins:
 * tokenizer_config.json and special_tokens_map.json by content, config.json and generation_config.json by id.
 */
record SpecialTokens(OptionalInt bos, OptionalInt eos) {
    /** Looks in the files that lie beside a {@code tokenizer.json}. */
    static SpecialTokens beside(Path tokenizer, Vocabulary vocabulary) {
        return new SpecialTokens(
                find(tokenizer, vocabulary, "bos"), find(tokenizer, vocabulary, "eos"));
    }

    private static OptionalInt find(Path tokenizer, Vocabulary vocabulary, String which) {
        for (String name : List.of("tokenizer_config.json", "special_tokens_map.json")) {
            JsonNode token = read(tokenizer.resolveSibling(name)).path(which + "_token");
            String content =
                    token.isObject() ? token.path("content").asString("") : token.asString("");
            OptionalInt id = vocabulary.id(content);
            if (id.isPresent()) {
                return id;
            }
        }
        for (String name : List.of("config.json", "generation_config.json")) {
            JsonNode id = read(tokenizer.resolveSibling(name)).path(which + "_token_id");
            JsonNode first = id.isArray() ? id.path(0) : id;
            if (first.isInt()) {
                return OptionalInt.of(first.asInt());
            }
        }
        return OptionalInt.empty();
    }

    private static ObjectNode read(Path file) {
        return Files.isRegularFile(file) ? Json.readObject(file) : Json.MAPPER.createObjectNode();
    }
}
