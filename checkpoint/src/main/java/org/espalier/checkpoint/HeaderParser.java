package org.espalier.checkpoint;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.espalier.core.UserError;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.exc.StreamConstraintsException;
import tools.jackson.core.json.JsonFactory;

/** From the bytes of a safetensors header to the entries that it declares; what they claim is checked elsewhere. */
final class HeaderParser {
    /** The header's object, a tensor's object, a list of numbers: nothing in the format lies deeper. */
    private static final int DEEPEST = 3;

    private static final JsonFactory FACTORY =
            Json.factory(
                    StreamReadConstraints.builder()
                            .maxNestingDepth(DEEPEST)
                            .maxNumberLength(100)
                            .maxStringLength((int) SafetensorsHeader.MAX_BYTES)
                            .build());

    private static final String AGAIN =
            "; the file is damaged or no safetensors file: copy or download it again";

    private final Path file;
    private final JsonParser parser;
    private final List<TensorInfo> tensors = new ArrayList<>();
    private final Map<String, String> metadata = new LinkedHashMap<>();

    private HeaderParser(Path file, JsonParser parser) {
        this.file = file;
        this.parser = parser;
    }

    List<TensorInfo> tensors() {
        return tensors;
    }

    Map<String, String> metadata() {
        return metadata;
    }

    static HeaderParser parse(Path file, byte[] json) {
        if (json.length == 0 || json[0] != '{') {
            throw fault(file, "has a header that does not start with '{'");
        }
        checkUtf8(file, json);
        try (JsonParser parser = FACTORY.createParser(ObjectReadContext.empty(), json)) {
            HeaderParser header = new HeaderParser(file, parser);
            header.parse();
            return header;
        } catch (StreamConstraintsException e) {
            throw fault(
                    file,
                    "has a header that passes the bounds of the format (" + Json.reason(e) + ")");
        } catch (JacksonException e) {
            if (e.getOriginalMessage().startsWith("Duplicate")) {
                throw fault(file, "has a header that names a key twice (" + Json.reason(e) + ")");
            }
            throw fault(file, "has a header that is no valid JSON (" + Json.reason(e) + ")");
        }
    }

    private static void checkUtf8(Path file, byte[] json) {
        CharsetDecoder decoder =
                StandardCharsets.UTF_8
                        .newDecoder()
                        .onMalformedInput(CodingErrorAction.REPORT)
                        .onUnmappableCharacter(CodingErrorAction.REPORT);
        ByteBuffer in = ByteBuffer.wrap(json);
        CharBuffer out = CharBuffer.allocate(8192);
        CoderResult result;
        do {
            out.clear();
            result = decoder.decode(in, out, true);
        } while (result.isOverflow());
        if (result.isError()) {
            throw fault(file, "has a header that is not valid UTF-8 at its byte " + in.position());
        }
    }

    private void parse() {
        parser.nextToken();
        while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
            String name = wellFormed(parser.currentName());
            JsonToken value = parser.nextToken();
            if (!name.equals(SafetensorsHeader.METADATA_KEY)) {
                tensors.add(tensor(name, value));
            } else if (value != JsonToken.VALUE_NULL) {
                metadata(value);
            }
        }
        if (parser.nextToken() != null) {
            throw fault(file, "has more than one JSON value in its header");
        }
    }

    private void metadata(JsonToken start) {
        if (start != JsonToken.START_OBJECT) {
            throw fault(file, "has a __metadata__ that is not an object of strings");
        }
        while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
            String key = wellFormed(parser.currentName());
            if (parser.nextToken() != JsonToken.VALUE_STRING) {
                throw fault(
                        file,
                        "has a __metadata__ entry " + Text.quote(key) + " that is not a string");
            }
            metadata.put(key, wellFormed(parser.getString()));
        }
    }

    private TensorInfo tensor(String name, JsonToken start) {
        if (start != JsonToken.START_OBJECT) {
            throw fault(name, "is not described by an object");
        }
        @Nullable DType dtype = null;
        @Nullable List<Long> shape = null;
        @Nullable List<Long> offsets = null;
        while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
            String key = parser.currentName();
            JsonToken value = parser.nextToken();
            switch (key) {
                case "dtype" -> dtype = dtype(name, value);
                case "shape" -> shape = numbers(name, key, value);
                case "data_offsets" -> offsets = numbers(name, key, value);
                default -> parser.skipChildren();
            }
        }
        if (dtype == null || shape == null || offsets == null) {
            throw fault(name, "lacks one of dtype, shape and data_offsets");
        }
        if (offsets.size() != 2) {
            throw fault(name, "has " + offsets.size() + " data_offsets where 2 are due");
        }
        return new TensorInfo(name, dtype, shape, offsets.get(0), offsets.get(1));
    }

    private DType dtype(String name, JsonToken value) {
        String text = value == JsonToken.VALUE_STRING ? parser.getString() : value.toString();
        for (DType dtype : DType.values()) {
            if (dtype.name().equals(text)) {
                return dtype;
            }
        }
        throw new UserError(
                "safetensors file "
                        + file
                        + ": tensor "
                        + Text.quote(name)
                        + " has the type "
                        + Text.quote(text)
                        + ", which is unknown here; convert the checkpoint to bfloat16 or float32 first");
    }

    private List<Long> numbers(String name, String key, JsonToken start) {
        if (start != JsonToken.START_ARRAY) {
            throw fault(name, "has a " + key + " that is not a list");
        }
        List<Long> numbers = new ArrayList<>();
        for (JsonToken token = parser.nextToken();
                token != JsonToken.END_ARRAY;
                token = parser.nextToken()) {
            if (token != JsonToken.VALUE_NUMBER_INT) {
                throw fault(name, "has a " + key + " with something other than whole numbers");
            }
            if (parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER
                    || parser.getLongValue() < 0) {
                throw fault(
                        name,
                        "has a "
                                + key
                                + " with "
                                + Text.line(parser.getString())
                                + ", which is not between 0 and 2^63-1");
            }
            numbers.add(parser.getLongValue());
        }
        return numbers;
    }

    /** Half a surrogate pair, written as an escape, passes the UTF-8 check but is no text. */
    private String wellFormed(String text) {
        if (!StandardCharsets.UTF_8.newEncoder().canEncode(text)) {
            throw fault(file, "has half a surrogate pair in the text " + Text.quote(text));
        }
        return text;
    }

    private UserError fault(String tensor, String what) {
        return new UserError(
                "safetensors file " + file + ": tensor " + Text.quote(tensor) + " " + what + AGAIN);
    }

    private static UserError fault(Path file, String what) {
        return new UserError("safetensors file " + file + " " + what + AGAIN);
    }
}
