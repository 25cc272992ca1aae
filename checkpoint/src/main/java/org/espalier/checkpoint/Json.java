package org.espalier.checkpoint;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.espalier.core.UserError;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.TokenStreamFactory;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.json.JsonReadFeature;
import tools.jackson.core.json.JsonWriteFeature;
import tools.jackson.core.util.DefaultIndenter;
import tools.jackson.core.util.DefaultPrettyPrinter;
import tools.jackson.core.util.Separators;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectWriter;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Strict JSON: no duplicate keys, nothing after the end, bounded depth. */
public final class Json {
    /** Far beyond what a configuration or a tokenizer needs, far below what harms the parser. */
    private static final int DEEPEST = 100;

    /** The largest tokenizers take some 35 MB. */
    private static final long LARGEST = 1 << 28;

    public static final JsonMapper MAPPER =
            JsonMapper.builder(
                            factory(
                                    StreamReadConstraints.builder()
                                            .maxNestingDepth(DEEPEST)
                                            .build()))
                    .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                    .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
                    // Python writes and reads these, and some configurations have them.
                    .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
                    .disable(JsonWriteFeature.WRITE_NAN_AS_STRINGS)
                    .build();

    /** Two spaces and line feeds on every system, as the Hugging Face libraries write. */
    private static final ObjectWriter PRETTY =
            MAPPER.writer()
                    .with(
                            new DefaultPrettyPrinter(
                                            Separators.createDefaultInstance()
                                                    .withObjectNameValueSpacing(
                                                            Separators.Spacing.AFTER))
                                    .withObjectIndenter(new DefaultIndenter("  ", "\n"))
                                    .withArrayIndenter(new DefaultIndenter("  ", "\n")));

    private Json() {}

    static JsonFactory factory(StreamReadConstraints constraints) {
        return JsonFactory.builder()
                .streamReadConstraints(constraints)
                .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                // Names of strangers are not worth keeping in a table shared by the process.
                .disable(TokenStreamFactory.Feature.CANONICALIZE_PROPERTY_NAMES)
                // The reference writer leaves slashes and characters beyond U+FFFF as they are.
                .disable(JsonWriteFeature.ESCAPE_FORWARD_SLASHES)
                .enable(JsonWriteFeature.COMBINE_UNICODE_SURROGATES_IN_UTF8)
                .build();
    }

    /** Reads a file that must hold one JSON object. */
    public static ObjectNode readObject(Path file) {
        byte[] bytes;
        try {
            if (Files.size(file) > LARGEST) {
                throw new UserError(
                        file + " is larger than any such file should be; get the file again");
            }
            bytes = Files.readAllBytes(file);
        } catch (IOException e) {
            throw IoFailure.reading(file, e);
        }
        JsonNode node;
        try {
            node = MAPPER.readTree(bytes);
        } catch (JacksonException e) {
            Impostor.refuse(file, Arrays.copyOf(bytes, Math.min(bytes.length, Impostor.HEAD)));
            throw new UserError(
                    file + " is no valid JSON (" + reason(e) + "); get the file again", e);
        } catch (NumberFormatException e) {
            // Jackson lets it through for exponents that no decimal can hold, such as 0e9999999999.
            throw new UserError(file + " holds a number of absurd size; get the file again", e);
        }
        if (bytes.length == 0) {
            throw new UserError(file + " is empty (0 bytes); download the file again");
        }
        if (!(node instanceof ObjectNode object)) {
            throw new UserError(file + " must hold a JSON object but does not; get the file again");
        }
        return object;
    }

    /** The object as the Hugging Face libraries lay it out. */
    public static byte[] pretty(ObjectNode object) {
        return (PRETTY.writeValueAsString(object) + "\n").getBytes(StandardCharsets.UTF_8);
    }

    /** What the parser disliked and where, in one line. */
    static String reason(JacksonException e) {
        String what = Text.line(e.getOriginalMessage());
        var location = e.getLocation();
        if (location == null || location.getLineNr() < 1) {
            return what;
        }
        return what + ", line " + location.getLineNr() + ", column " + location.getColumnNr();
    }
}
