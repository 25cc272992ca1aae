package org.espalier.checkpoint;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.espalier.core.UserError;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;

/** Lays tensors out as the reference writer does and writes the bytes that come before the data. */
final class HeaderWriter {
    private static final int ALIGNMENT = 8;

    private HeaderWriter() {}

    /**
     * Places tensors one after the other: largest element type first, which aligns every tensor to its element size,
     * then by the bytes of the name.
     */
    static List<TensorInfo> layout(Collection<TensorSpec> plan) {
        List<TensorSpec> sorted = new ArrayList<>(plan);
        sorted.sort(
                Comparator.comparing(TensorSpec::dtype)
                        .reversed()
                        .thenComparing(spec -> utf8(spec.name()), Arrays::compareUnsigned));
        List<TensorInfo> placed = new ArrayList<>();
        Set<String> names = new HashSet<>();
        long at = 0;
        for (TensorSpec spec : sorted) {
            if (!names.add(spec.name())) {
                throw new IllegalArgumentException(spec.name() + " is planned twice");
            }
            long end = Math.addExact(at, spec.bytes());
            placed.add(new TensorInfo(spec.name(), spec.dtype(), spec.shape(), at, end));
            at = end;
        }
        return placed;
    }

    /** Length and header, padded with spaces so that the data starts on a multiple of 8. */
    static byte[] bytes(Path file, List<TensorInfo> tensors, Map<String, String> metadata) {
        ByteArrayOutputStream json = new ByteArrayOutputStream();
        try (JsonGenerator out =
                Json.MAPPER
                        .tokenStreamFactory()
                        .createGenerator(ObjectWriteContext.empty(), json)) {
            out.writeStartObject();
            if (!metadata.isEmpty()) {
                out.writeObjectPropertyStart(SafetensorsHeader.METADATA_KEY);
                metadata.forEach(out::writeStringProperty);
                out.writeEndObject();
            }
            tensors.forEach(tensor -> write(out, tensor));
            out.writeEndObject();
        }
        while (json.size() % ALIGNMENT != 0) {
            json.write(' ');
        }
        if (json.size() > SafetensorsHeader.MAX_BYTES) {
            throw new UserError(
                    "the header of "
                            + file
                            + " would take "
                            + json.size()
                            + " bytes, more than the "
                            + SafetensorsHeader.MAX_BYTES
                            + " that safetensors allows; use more shards");
        }
        return ByteBuffer.allocate(SafetensorsHeader.LENGTH_BYTES + json.size())
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(json.size())
                .put(json.toByteArray())
                .array();
    }

    private static void write(JsonGenerator out, TensorInfo tensor) {
        out.writeObjectPropertyStart(tensor.name());
        out.writeStringProperty("dtype", tensor.dtype().name());
        out.writeName("shape");
        long[] shape = tensor.dimensions();
        out.writeArray(shape, 0, shape.length);
        out.writeName("data_offsets");
        out.writeArray(new long[] {tensor.begin(), tensor.end()}, 0, 2);
        out.writeEndObject();
    }

    private static byte[] utf8(String name) {
        return name.getBytes(StandardCharsets.UTF_8);
    }
}
