package org.espalier.network.text;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.espalier.core.UserError;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Reads a text file. {@code .jsonl} has one object per line, with a {@code text} or with {@code input_ids}, the same in
 * every line; other keys are allowed, blank lines are skipped. Everything else is plain text. Both are UTF-8.
 */
final class TextReader {
    private static final JsonMapper JSON = new JsonMapper();
    private static final String TEXT = "text";
    private static final String IDS = "input_ids";

    private final Path file;
    private final List<String> documents = new ArrayList<>();
    private final List<long[]> lines = new ArrayList<>();
    private final List<Integer> numbers = new ArrayList<>();

    TextReader(Path file) {
        this.file = file;
    }

    TextSource read() {
        String content = content();
        String name = String.valueOf(file.getFileName()).toLowerCase(Locale.ROOT);
        if (!name.endsWith(".jsonl")) {
            if (name.endsWith(".json") || name.endsWith(".gz") || name.endsWith(".parquet")) {
                throw new UserError(
                        file + ": a text file is .txt, or .jsonl with one object per line");
            }
            if (content.isBlank()) {
                throw new UserError(file + " is empty");
            }
            return new TextSource.Words(file, List.of(content));
        }
        int number = 0;
        for (String line : content.split("\r?\n", -1)) {
            number++;
            if (!line.isBlank()) {
                readLine(number, line);
            }
        }
        if (documents.isEmpty() && lines.isEmpty()) {
            throw new UserError(file + " is empty");
        }
        return lines.isEmpty()
                ? new TextSource.Words(file, documents)
                : new TextSource.Ids(file, lines, numbers);
    }

    private String content() {
        if (Files.isDirectory(file)) {
            throw new UserError(file + " is a folder; a .txt or .jsonl file is needed");
        }
        if (!Files.exists(file)) {
            throw new UserError(file + " does not exist");
        }
        try {
            byte[] bytes = Files.readAllBytes(file);
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            throw new UserError(file + " is not UTF-8 text", e);
        } catch (IOException e) {
            throw new UserError(file + " cannot be read: " + e.getMessage(), e);
        }
    }

    private void readLine(int number, String line) {
        JsonNode node;
        try {
            node = JSON.readTree(line);
        } catch (JacksonException e) {
            String message = String.valueOf(e.getOriginalMessage()).lines().findFirst().orElse("");
            throw fault(number, "not valid JSON: " + message, e);
        }
        boolean text = node.has(TEXT);
        boolean ids = node.has(IDS);
        if (!node.isObject() || text == ids) {
            throw fault(
                    number,
                    "must be an object with either \"text\" or \"input_ids\""
                            + (text ? ", not both" : ""),
                    null);
        }
        if (text ? !lines.isEmpty() : !documents.isEmpty()) {
            throw fault(
                    number,
                    "has \""
                            + (text ? TEXT : IDS)
                            + "\" but the lines before it have \""
                            + (text ? IDS : TEXT)
                            + "\"",
                    null);
        }
        if (text) {
            readText(number, node.get(TEXT));
        } else {
            readIds(number, node.get(IDS));
        }
    }

    private void readText(int number, JsonNode value) {
        if (!value.isString()) {
            throw fault(number, "\"text\" must be a string", null);
        }
        if (!value.asString().isBlank()) {
            documents.add(value.asString());
        }
    }

    private void readIds(int number, JsonNode value) {
        if (!value.isArray() || value.isEmpty()) {
            throw fault(number, "\"input_ids\" must be a list of at least one token id", null);
        }
        long[] ids = new long[value.size()];
        for (int i = 0; i < ids.length; i++) {
            JsonNode id = value.get(i);
            if (!id.isIntegralNumber() || !id.canConvertToInt() || id.asInt() < 0) {
                throw fault(
                        number,
                        "\"input_ids\" has " + id + " at position " + i + ", which is no token id",
                        null);
            }
            ids[i] = id.asInt();
        }
        lines.add(ids);
        numbers.add(number);
    }

    private UserError fault(int number, String message, @Nullable Throwable cause) {
        String line = file + ": line " + number + ": " + message;
        return cause == null ? new UserError(line) : new UserError(line, cause);
    }
}
