package org.espalier.network.text;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.espalier.core.UserError;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.JsonNode;

/**
 * One chat: a list of messages, each with {@code role} and {@code content} and whatever else the template reads, or with
 * {@code from} and {@code value} as ShareGPT has them.
 */
final class ChatRow {
    private static final Map<String, String> ROLES =
            Map.of(
                    "human",
                    "user",
                    "gpt",
                    "assistant",
                    "chatgpt",
                    "assistant",
                    "bing",
                    "assistant");

    private ChatRow() {}

    /**
     * The messages of a chat.
     *
     * @param fault makes the refusal of this row
     * @param name name of the list
     * @param value the list
     */
    static List<Map<String, Object>> messages(
            Function<String, UserError> fault, String name, JsonNode value) {
        if (value.isEmpty()) {
            throw fault.apply("\"" + name + "\" has no message");
        }
        List<Map<String, Object>> messages = new ArrayList<>();
        for (JsonNode message : value) {
            if (message.path("role").isString()) {
                messages.add(
                        Rows.JSON.convertValue(
                                message, new TypeReference<LinkedHashMap<String, Object>>() {}));
            } else if (message.path("from").isString() && message.path("value").isString()) {
                String from = message.path("from").asString();
                Map<String, Object> turned = new LinkedHashMap<>();
                turned.put("role", ROLES.getOrDefault(from, from));
                turned.put("content", message.path("value").asString());
                messages.add(turned);
            } else {
                throw fault.apply(
                        "each message of \""
                                + name
                                + "\" needs \"role\" and \"content\", or \"from\" and \"value\"");
            }
        }
        return messages;
    }
}
