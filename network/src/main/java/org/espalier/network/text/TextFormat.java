package org.espalier.network.text;

import java.util.List;
import java.util.Locale;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.MissingNode;

/** How a text file is laid out. */
enum TextFormat {
    /** Documents from the first character to the last. */
    PLAIN,
    /** One JSON object per line. */
    LINES,
    /** A JSON array of objects, or objects that go over several lines. */
    VALUES;

    /** Lines that are looked at. */
    private static final int LOOKED_AT = 100;

    /**
     * The layout of a file: what its name says, or else what it begins like. Plain text that merely begins with a brace
     * or a bracket stays plain text: each line of the beginning must be an object that holds what a text file holds.
     *
     * @param name name of the file
     * @param head its first characters
     * @param whole whether these are all
     */
    static TextFormat of(String name, String head, boolean whole) {
        String lower = name.toLowerCase(Locale.ROOT);
        String plain = lower.endsWith(".gz") ? lower.substring(0, lower.length() - 3) : lower;
        String start = withoutMark(head).stripLeading();
        boolean array = start.startsWith("[") && start.substring(1).stripLeading().startsWith("{");
        if (isLines(plain)) {
            return array ? VALUES : LINES;
        }
        boolean json = plain.endsWith(".json");
        if (start.startsWith("{")
                && (areRows(start, whole) || (json && parse(firstLine(start)).isObject()))) {
            return LINES;
        }
        boolean values = json && (start.startsWith("{") || start.startsWith("["));
        return values || (array && Rows.seemsRow(start.substring(1))) ? VALUES : PLAIN;
    }

    /** Whether a name says that the file has one JSON object per line. */
    private static boolean isLines(String name) {
        return name.endsWith(".jsonl") || name.endsWith(".ndjson") || name.endsWith(".jsonlines");
    }

    /** Whether a name says that the file holds JSON. */
    static boolean isNamed(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        String plain = lower.endsWith(".gz") ? lower.substring(0, lower.length() - 3) : lower;
        return isLines(plain) || plain.endsWith(".json");
    }

    /** A line without the byte-order mark that joining files leaves in front of it. */
    static String withoutMark(String line) {
        int start = 0;
        while (start < line.length() && line.charAt(start) == '\ufeff') {
            start++;
        }
        return line.substring(start);
    }

    private static boolean areRows(String start, boolean whole) {
        List<String> lines = start.lines().limit(LOOKED_AT + 1).toList();
        if (lines.size() == 1 && !whole) {
            return Rows.seemsRow(start);
        }
        // The last line of what was looked at may go on.
        int last = whole || lines.size() > LOOKED_AT ? lines.size() : lines.size() - 1;
        return lines.subList(0, Math.min(last, LOOKED_AT)).stream()
                .map(TextFormat::withoutMark)
                .filter(line -> !line.isBlank())
                .allMatch(TextFormat::isRow);
    }

    private static String firstLine(String text) {
        int end = text.indexOf('\n');
        return end < 0 ? text : text.substring(0, end);
    }

    private static boolean isRow(String line) {
        JsonNode node = parse(line);
        return node.isObject() && Rows.isRow(node);
    }

    private static JsonNode parse(String line) {
        try {
            return Rows.JSON.readTree(line);
        } catch (JacksonException e) {
            return MissingNode.getInstance();
        }
    }
}
