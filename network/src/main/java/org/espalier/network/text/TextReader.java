package org.espalier.network.text;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.espalier.core.UserError;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.JsonNode;

/**
 * Reads a text file once, from its first byte on, as far as it is kept. What it is, its name says or, where that says
 * nothing, its beginning; see {@link TextFormat}.
 */
final class TextReader {
    private static final int LONGEST_LINE = 1 << 26;

    private final Path file;
    private final int most;

    /**
     * A reader of a file.
     *
     * @param most characters, or as many tokens, that are kept
     */
    TextReader(Path file, int most) {
        this.file = file;
        this.most = most;
    }

    TextSource read() {
        try (TextInput input = new TextInput(file)) {
            try {
                return read(input);
            } catch (IOException e) {
                throw input.unreadable(e);
            }
        }
    }

    private TextSource read(TextInput input) throws IOException {
        CharacterInput characters = input.characters();
        String head = characters.head();
        String name = input.fileName();
        TextFormat format = TextFormat.of(name, head, characters.headIsAll());
        if (format == TextFormat.PLAIN) {
            return plain(input, name);
        }
        Rows rows = new Rows(input.named(), most);
        if (format == TextFormat.LINES) {
            readLines(input, rows);
        } else {
            readValues(input, rows);
        }
        if (rows.isEmpty()) {
            throw new UserError(input.named() + " is empty");
        }
        List<String> notes = new ArrayList<>(rows.notes());
        if (!TextFormat.isNamed(name)) {
            notes.add(
                    input.named()
                            + " is read as JSON, one object after the other, by its beginning");
        }
        return rows.source(input.origin(!rows.full() && characters.complete(), notes));
    }

    private TextSource plain(TextInput input, String name) throws IOException {
        if (TextFormat.isNamed(name)) {
            throw new UserError(
                    input.named()
                            + " is named as JSON but does not begin like it; name a plain text .txt");
        }
        CharacterInput characters = input.characters();
        String text = characters.withoutMark().text(most);
        if (text.isBlank()) {
            throw new UserError(input.named() + " is empty");
        }
        return new Documents(input.origin(characters.complete(), List.of()), List.of(text));
    }

    private void readLines(TextInput input, Rows rows) throws IOException {
        int number = 0;
        while (!rows.full()) {
            String line = line(input, rows, ++number);
            if (line == null) {
                return;
            }
            line = TextFormat.withoutMark(line);
            if (!line.isBlank()) {
                JsonNode row;
                try {
                    row = Rows.JSON.readTree(line);
                } catch (JacksonException e) {
                    throw rows.fault(number, notJson(e), e);
                }
                rows.add(number, row);
            }
        }
    }

    private @Nullable String line(TextInput input, Rows rows, int number) throws IOException {
        try {
            return input.characters().line(LONGEST_LINE);
        } catch (CharacterInput.LineTooLong e) {
            throw rows.fault(
                    number, "is longer than " + LONGEST_LINE + " characters; divide it", e);
        }
    }

    /** Objects that stand one after the other or in an array, over as many lines as they like. */
    private void readValues(TextInput input, Rows rows) throws IOException {
        CharacterInput characters = input.characters();
        int number = 1;
        try (JsonParser parser = Rows.JSON.createParser(characters.withoutMark())) {
            boolean within = false;
            while (!rows.full()) {
                JsonToken token = parser.nextToken();
                number = parser.currentTokenLocation().getLineNr();
                if (token == null) {
                    return;
                }
                if (token == JsonToken.START_ARRAY && !within) {
                    within = true;
                } else if (token == JsonToken.END_ARRAY && within) {
                    within = false;
                } else {
                    JsonNode row = parser.readValueAsTree();
                    rows.add(number, row);
                }
            }
        } catch (JacksonException e) {
            if (e.getCause() instanceof IOException cause) {
                throw cause;
            }
            throw rows.fault(number, notJson(e), e);
        }
    }

    private static String notJson(JacksonException e) {
        String message = String.valueOf(e.getOriginalMessage()).lines().findFirst().orElse("");
        return "not valid JSON: " + message;
    }
}
