package org.espalier.network.text;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.espalier.core.UserError;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The objects of a JSON file, one after the other: texts, token ids or chats, the same in every one. */
final class Rows {
    /** A document may be as long as everything that is read. */
    static final JsonMapper JSON =
            new JsonMapper(
                    JsonFactory.builder()
                            .streamReadConstraints(
                                    StreamReadConstraints.builder()
                                            .maxStringLength(TextSource.MOST_CHARACTERS * 2)
                                            .maxNestingDepth(200)
                                            .build())
                            .build());

    static final String TEXT = "text";
    static final String IDS = "input_ids";

    /** Names of a chat, as published sets have them. */
    private static final List<String> CHATS = List.of("messages", "conversations", "conversation");

    /** Names that published sets have in place of {@code text}. */
    private static final List<String> OTHER_TEXTS =
            List.of("content", "story", "document", "article", "raw_content");

    private static final Pattern KEY =
            Pattern.compile("\"(text|input_ids|messages|conversations?|content)\"\\s*:\\s*[\"\\[]");

    /** What an object holds. */
    private enum Kind {
        TEXTS,
        IDS,
        CHATS
    }

    private final String named;
    private final int most;
    private final List<String> documents = new ArrayList<>();
    private final List<long[]> sequences = new ArrayList<>();
    private final List<List<Map<String, Object>>> chats = new ArrayList<>();
    private final List<Integer> numbers = new ArrayList<>();
    private final Set<String> notes = new LinkedHashSet<>();
    private @Nullable String key;
    private long characters;
    private long tokens;

    /**
     * No objects yet.
     *
     * @param named how the file is called in messages
     * @param most characters, or as many tokens, that are kept
     */
    Rows(String named, int most) {
        this.named = named;
        this.most = most;
    }

    /** Whether a text that ends somewhere within an object seems to be one that is read here. */
    static boolean seemsRow(String start) {
        return start.stripLeading().startsWith("{") && KEY.matcher(start).find();
    }

    /** Whether an object holds something that is read here. */
    static boolean isRow(JsonNode node) {
        return node.path(TEXT).isString() || node.path(IDS).isArray() || chatKey(node) != null;
    }

    /** Whether as much was read as is kept. */
    boolean full() {
        return characters >= most || tokens >= Math.min(most, TextSource.MOST_TOKENS);
    }

    boolean isEmpty() {
        return documents.isEmpty() && sequences.isEmpty() && chats.isEmpty();
    }

    List<String> notes() {
        return List.copyOf(notes);
    }

    /** What was read. */
    TextSource source(Origin origin) {
        if (!sequences.isEmpty()) {
            return new Ids(origin, sequences, numbers);
        }
        return chats.isEmpty()
                ? new Documents(origin, documents)
                : new Chats(origin, chats, numbers);
    }

    /**
     * Takes an object.
     *
     * @param number its line in the file, from 1
     */
    void add(int number, JsonNode row) {
        String found = key(number, row);
        Kind kind = kind(found);
        if (key == null) {
            key = found;
            if (kind == Kind.TEXTS && !found.equals(TEXT)) {
                notes.add(named + " has no \"text\": \"" + found + "\" is read");
            }
        } else if (!key.equals(found)) {
            throw fault(
                    number, "has \"" + found + "\" but the lines before it have \"" + key + "\"");
        }
        switch (kind) {
            case TEXTS -> addText(number, found, row.get(found));
            case IDS -> addIds(number, row);
            case CHATS -> addChat(number, found, row.get(found));
        }
    }

    private static Kind kind(String key) {
        if (key.equals(IDS)) {
            return Kind.IDS;
        }
        return CHATS.contains(key) ? Kind.CHATS : Kind.TEXTS;
    }

    private String key(int number, JsonNode row) {
        if (!row.isObject()) {
            throw fault(number, "must be an object with either \"text\" or \"input_ids\"");
        }
        boolean text = row.has(TEXT);
        if (text && row.has(IDS)) {
            throw fault(
                    number, "must be an object with either \"text\" or \"input_ids\", not both");
        }
        String chat = chatKey(row);
        if (text || row.has(IDS)) {
            return text ? TEXT : IDS;
        }
        if (chat != null) {
            return chat;
        }
        for (String other : OTHER_TEXTS) {
            if (row.path(other).isString()) {
                return other;
            }
        }
        List<String> keys = row.propertyNames().stream().limit(8).map(Rows::shown).toList();
        throw fault(
                number,
                "must be an object with either \"text\" or \"input_ids\" (or a chat in \"messages\") but has "
                        + (keys.isEmpty() ? "no key" : "the keys " + String.join(", ", keys))
                        + "; give the key with the words the name \"text\"");
    }

    private static @Nullable String chatKey(JsonNode row) {
        for (String chat : CHATS) {
            if (row.path(chat).isArray()) {
                return chat;
            }
        }
        return null;
    }

    private void addText(int number, String name, JsonNode value) {
        if (!value.isString()) {
            throw fault(number, "\"" + name + "\" must be a string");
        }
        // The same words give the same tokens, whatever line ends they were stored with.
        String text = value.asString().replace("\r\n", "\n").replace('\r', '\n');
        if (!text.isBlank()) {
            documents.add(text);
            characters += text.length();
        }
    }

    private void addIds(int number, JsonNode row) {
        TokenRow line = new TokenRow(message -> fault(number, message), row);
        sequences.add(line.ids());
        line.note().ifPresent(note -> notes.add(named + note));
        numbers.add(number);
        tokens += line.ids().length;
    }

    private void addChat(int number, String name, JsonNode value) {
        List<Map<String, Object>> chat =
                ChatRow.messages(message -> fault(number, message), name, value);
        for (Map<String, Object> message : chat) {
            characters += String.valueOf(message.get("content")).length();
        }
        chats.add(chat);
        numbers.add(number);
    }

    /** A name from the file, fit for a message. */
    private static String shown(String name) {
        String line = name.replaceAll("\\p{Cntrl}", "?");
        return "\"" + (line.length() > 40 ? line.substring(0, 40) + "..." : line) + "\"";
    }

    /** The refusal of a line. */
    UserError fault(int number, String message) {
        return new UserError(named + ": line " + number + ": " + message);
    }

    /** The refusal of a line, with its cause. */
    UserError fault(int number, String message, Throwable cause) {
        return new UserError(named + ": line " + number + ": " + message, cause);
    }
}
