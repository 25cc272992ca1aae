package org.espalier.checkpoint;

import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** The part of a {@code tokenizer.json} that puts tokens before and behind a text. */
public final class PostProcessors {
    private static final String SPECIAL = "SpecialToken";

    private PostProcessors() {}

    /**
     * A token with its id.
     *
     * @param content the token
     * @param id its id
     */
    public record Token(String content, int id) {}

    /**
     * What a post-processor puts around a text.
     *
     * @param first the token before it; null for none
     * @param last the token behind it; null for none
     */
    record Around(@Nullable String first, @Nullable String last) {
        static final Around NOTHING = new Around(null, null);
    }

    /** Sets the template that puts these tokens around a text; null for none. */
    public static void put(ObjectNode tokenizer, @Nullable Token first, @Nullable Token last) {
        if (first == null && last == null) {
            tokenizer.putNull("post_processor");
            return;
        }
        ObjectNode template =
                tokenizer.putObject("post_processor").put("type", "TemplateProcessing");
        ObjectNode special = JsonMapper.shared().createObjectNode();
        ArrayNode single = template.putArray("single");
        ArrayNode pair = template.putArray("pair");
        use(special, first, single, pair);
        sequence(single, "A");
        sequence(pair, "A");
        sequence(pair, "B");
        use(special, last, single, pair);
        template.set("special_tokens", special);
    }

    private static void use(ObjectNode special, @Nullable Token token, ArrayNode... templates) {
        if (token == null) {
            return;
        }
        for (ArrayNode template : templates) {
            template.addObject().putObject(SPECIAL).put("id", token.content()).put("type_id", 0);
        }
        ObjectNode entry = special.putObject(token.content()).put("id", token.content());
        entry.putArray("ids").add(token.id());
        entry.putArray("tokens").add(token.content());
    }

    private static void sequence(ArrayNode template, String id) {
        template.addObject().putObject("Sequence").put("id", id).put("type_id", 0);
    }

    /** What the post-processor of a tokenizer.json puts around a single text. */
    static Around around(JsonNode processor) {
        return switch (processor.path("type").asString("")) {
            case "Sequence" -> {
                Around found = Around.NOTHING;
                for (JsonNode step : processor.path("processors")) {
                    Around more = around(step);
                    found = more.equals(Around.NOTHING) ? found : more;
                }
                yield found;
            }
            case "TemplateProcessing" -> {
                JsonNode single = processor.path("single");
                yield new Around(
                        name(single.path(0)), name(single.path(Math.max(0, single.size() - 1))));
            }
            case "RobertaProcessing", "BertProcessing" ->
                    new Around(
                            processor.path("cls").path(0).asString(null),
                            processor.path("sep").path(0).asString(null));
            default -> Around.NOTHING;
        };
    }

    private static @Nullable String name(JsonNode piece) {
        return piece.path(SPECIAL).path("id").asString(null);
    }
}
