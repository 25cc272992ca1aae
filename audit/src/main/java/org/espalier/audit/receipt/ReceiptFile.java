package org.espalier.audit.receipt;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.espalier.checkpoint.IoFailure;
import org.espalier.core.UserError;
import org.espalier.core.number.FiniteJson;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Reads and writes {@code espalier.json}. Its digest covers every byte of its text. */
public final class ReceiptFile {
    /** Name of the receipt in its folder. */
    public static final String NAME = "espalier.json";

    private static final Pattern DIGEST =
            Pattern.compile("\"digest\" : \"([0-9a-f]{64})\"\\s*\\}\\s*$");
    private static final String DIGEST_KEY = "digest";
    private static final String NO_DIGEST = "0".repeat(64);
    private static final JsonMapper JSON =
            JsonMapper.builder()
                    .enable(SerializationFeature.INDENT_OUTPUT)
                    .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                    .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
                    .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
                    .build();

    private ReceiptFile() {}

    /** The receipt's text, with the digest filled in. */
    public static String text(Receipt receipt) {
        ObjectNode tree = JSON.valueToTree(receipt.withDigest(NO_DIGEST));
        Map<String, String> notFinite = FiniteJson.take(tree);
        if (!notFinite.isEmpty()) {
            tree.remove(DIGEST_KEY);
            tree.set(FiniteJson.KEY, JSON.valueToTree(notFinite));
            // The digest stays the last value.
            tree.put(DIGEST_KEY, NO_DIGEST);
        }
        String blank = JSON.writeValueAsString(tree) + "\n";
        return withDigest(blank, NO_DIGEST, digest(blank));
    }

    /**
     * Reads the receipt of a pruned checkpoint.
     *
     * @throws UserError if there is none, or if its text is not what was written
     */
    public static Receipt read(Path folder) {
        Path file = folder.resolve(NAME);
        if (!Files.isRegularFile(file)) {
            throw new UserError(
                    folder + " has no " + NAME + ", so it is not a folder that prune wrote");
        }
        try {
            String text = Files.readString(file);
            Matcher digest = DIGEST.matcher(text);
            if (!digest.find()
                    || !digest(withDigest(text, digest.group(1), NO_DIGEST))
                            .equals(digest.group(1))) {
                throw changed(file, text);
            }
            return parse(file, text);
        } catch (CharacterCodingException e) {
            throw new UserError(file + " was changed: it is not UTF-8 text", e);
        } catch (IOException e) {
            throw IoFailure.reading(file, e);
        }
    }

    private static UserError changed(Path file, String text) {
        String unix =
                new String(
                        LineEnds.toUnix(text.getBytes(StandardCharsets.UTF_8)),
                        StandardCharsets.UTF_8);
        Matcher digest = DIGEST.matcher(unix);
        boolean onlyLineEnds =
                !unix.equals(text)
                        && digest.find()
                        && digest(withDigest(unix, digest.group(1), NO_DIGEST))
                                .equals(digest.group(1));
        return new UserError(
                file
                        + " was changed: "
                        + (onlyLineEnds
                                ? "its line ends are now CRLF and were LF" + LineEnds.REMEDY
                                : "its digest does not fit its text"));
    }

    /** Parses a receipt whose digest is right: what does not fit then comes from another version. */
    private static Receipt parse(Path file, String text) {
        try {
            return parse(text);
        } catch (JacksonException e) {
            String message = String.valueOf(e.getOriginalMessage()).lines().findFirst().orElse("");
            throw new UserError(
                    file
                            + " was written by espalier "
                            + JSON.readTree(text).path("espalier").asString("of an unknown version")
                            + " in a layout that this version does not read; use that version, or"
                            + " prune the dense model again with this one ("
                            + message
                            + ")",
                    e);
        }
    }

    /** The receipt that a text holds, unchecked. */
    public static Receipt parse(String text) {
        JsonNode tree = JSON.readTree(text);
        if (tree instanceof ObjectNode receipt) {
            FiniteJson.restore(receipt);
        }
        // Earlier versions did not say what was left.
        addMissing(tree, "remainder");
        addMissing(tree.path("calibration"), "bytes");
        addMissing(tree.path("quality").path("protocol"), "textBytes");
        return JSON.treeToValue(tree, Receipt.class);
    }

    /** A value that not every receipt has. */
    private static void addMissing(JsonNode node, String name) {
        if (node instanceof ObjectNode object && !object.has(name)) {
            object.putNull(name);
        }
    }

    /** The digest is the last value of the file, so only its last occurrence is replaced. */
    private static String withDigest(String text, String from, String to) {
        int at = text.lastIndexOf(from);
        return text.substring(0, at) + to + text.substring(at + from.length());
    }

    private static String digest(String text) {
        return Checksum.of(text.getBytes(StandardCharsets.UTF_8));
    }
}
