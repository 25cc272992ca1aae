package org.espalier.checkpoint.chat;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.Json;
import org.espalier.core.UserError;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/** Where a checkpoint keeps its chat template; as in transformers, the file of its own goes before the others. */
public final class ChatTemplates {
    private static final String KEY = "chat_template";
    private static final List<String> SPECIAL =
            List.of(
                    "bos_token",
                    "eos_token",
                    "unk_token",
                    "pad_token",
                    "sep_token",
                    "cls_token",
                    "mask_token");

    private ChatTemplates() {}

    /** The template of a checkpoint, if it has one. */
    public static Optional<ChatTemplate> of(Checkpoint checkpoint) {
        JsonNode settings = json(checkpoint, "tokenizer_config.json");
        String template = text(checkpoint, "chat_template.jinja");
        if (template == null) {
            template = named(settings.path(KEY));
        }
        if (template == null) {
            template = named(json(checkpoint, "chat_template.json").path(KEY));
        }
        if (template == null) {
            return Optional.empty();
        }
        Map<String, String> special = new HashMap<>();
        JsonNode map = json(checkpoint, "special_tokens_map.json");
        for (String name : SPECIAL) {
            JsonNode token = settings.hasNonNull(name) ? settings.path(name) : map.path(name);
            String content =
                    token.isObject() ? token.path("content").asString("") : token.asString("");
            if (!content.isEmpty()) {
                special.put(name, content);
            }
        }
        return Optional.of(new ChatTemplate(template, special));
    }

    /** A template, or the one called "default" of several. */
    private static @Nullable String named(JsonNode value) {
        if (value.isString()) {
            return value.asString();
        }
        for (JsonNode entry : value) {
            if (entry.path("name").asString("").equals("default")
                    && entry.path("template").isString()) {
                return entry.path("template").asString();
            }
        }
        return null;
    }

    private static JsonNode json(Checkpoint checkpoint, String name) {
        String text = text(checkpoint, name);
        try {
            return text == null ? Json.MAPPER.createObjectNode() : Json.MAPPER.readTree(text);
        } catch (JacksonException e) {
            throw new UserError(
                    checkpoint.folder() + ": " + name + " is not valid JSON; get it again", e);
        }
    }

    private static @Nullable String text(Checkpoint checkpoint, String name) {
        byte[] bytes = checkpoint.sideFile(name);
        return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
    }
}
