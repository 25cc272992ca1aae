package org.espalier.checkpoint.gguf;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/** Writes what comes before the data of a GGUF file, little-endian. */
final class MetadataBytes {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    /** Magic, version, counts, metadata, descriptions of the tensors; padded so that the data may follow. */
    static byte[] header(Map<String, GgufValue> metadata, List<GgufTensor> tensors, int alignment) {
        MetadataBytes bytes = new MetadataBytes();
        bytes.out.writeBytes("GGUF".getBytes(StandardCharsets.US_ASCII));
        bytes.number(3, 4);
        bytes.number(tensors.size(), 8);
        bytes.number(metadata.size(), 8);
        metadata.forEach((key, value) -> {
            bytes.text(key);
            bytes.entry(value);
        });
        for (GgufTensor tensor : tensors) {
            bytes.text(tensor.name());
            bytes.number(tensor.extents().size(), 4);
            tensor.extents().forEach(extent -> bytes.number(extent, 8));
            bytes.number(tensor.type().id(), 4);
            bytes.number(tensor.begin(), 8);
        }
        while (bytes.out.size() % alignment != 0) {
            bytes.out.write(0);
        }
        return bytes.out.toByteArray();
    }

    private void entry(GgufValue value) {
        switch (value) {
            case GgufValue.Whole whole -> {
                number(whole.type().id(), 4);
                number(whole.value(), whole.type().leastBytes());
            }
            case GgufValue.Real real -> {
                number(real.type().id(), 4);
                real(real.value(), real.type());
            }
            case GgufValue.Flag flag -> {
                number(GgufValueType.BOOL.id(), 4);
                number(flag.value() ? 1 : 0, 1);
            }
            case GgufValue.Text text -> {
                number(GgufValueType.STRING.id(), 4);
                text(text.value());
            }
            case GgufValue.Wholes list -> {
                array(list.type(), list.values().size());
                list.values().forEach(each -> number(each, list.type().leastBytes()));
            }
            case GgufValue.Reals list -> {
                array(list.type(), list.values().size());
                list.values().forEach(each -> real(each, list.type()));
            }
            case GgufValue.Texts list -> {
                array(GgufValueType.STRING, list.values().size());
                list.values().forEach(this::text);
            }
        }
    }

    private void array(GgufValueType type, int count) {
        number(GgufValueType.ARRAY.id(), 4);
        number(type.id(), 4);
        number(count, 8);
    }

    private void real(double value, GgufValueType type) {
        if (type == GgufValueType.F32) {
            number(Float.floatToRawIntBits((float) value), 4);
        } else {
            number(Double.doubleToRawLongBits(value), 8);
        }
    }

    private void text(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        number(bytes.length, 8);
        out.writeBytes(bytes);
    }

    private void number(long value, int bytes) {
        byte[] all = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array();
        out.write(all, 0, bytes);
    }
}
