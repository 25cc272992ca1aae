package org.espalier.checkpoint.gguf;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Writes GGUF files byte by byte, right and wrong ones. */
final class GgufBuilder {
    private static final int U32 = 4;
    private static final int I32 = 5;
    private static final int F32 = 6;
    private static final int BOOL = 7;
    private static final int STRING = 8;
    private static final int ARRAY = 9;

    private final Bytes metadata = new Bytes();
    private final Bytes infos = new Bytes();
    private final Bytes data = new Bytes();
    private int entries;
    private int tensors;
    int version = 3;
    int alignment = 32;
    long declaredEntries = -1;
    long declaredTensors = -1;

    /** Little-endian bytes. */
    static final class Bytes extends ByteArrayOutputStream {
        Bytes raw(byte... bytes) {
            writeBytes(bytes);
            return this;
        }

        Bytes i32(int value) {
            return raw(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
        }

        Bytes i64(long value) {
            return raw(
                    ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
        }

        Bytes f32(float value) {
            return i32(Float.floatToRawIntBits(value));
        }

        Bytes text(String text) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            return i64(bytes.length).raw(bytes);
        }

        void pad(int alignment) {
            while (size() % alignment != 0) {
                write(0);
            }
        }
    }

    /** Floats as little-endian bytes. */
    static byte[] floats(float... values) {
        Bytes bytes = new Bytes();
        for (float value : values) {
            bytes.f32(value);
        }
        return bytes.toByteArray();
    }

    private Bytes key(String key, int type) {
        entries++;
        return metadata.text(key).i32(type);
    }

    GgufBuilder raw(String key, int type, byte... value) {
        entries++;
        metadata.text(key).i32(type).raw(value);
        return this;
    }

    GgufBuilder u32(String key, int value) {
        key(key, U32).i32(value);
        return this;
    }

    GgufBuilder i32(String key, int value) {
        key(key, I32).i32(value);
        return this;
    }

    GgufBuilder f32(String key, float value) {
        key(key, F32).f32(value);
        return this;
    }

    GgufBuilder flag(String key, boolean value) {
        key(key, BOOL).write(value ? 1 : 0);
        return this;
    }

    GgufBuilder text(String key, String value) {
        key(key, STRING).text(value);
        return this;
    }

    GgufBuilder texts(String key, List<String> values) {
        Bytes bytes = key(key, ARRAY);
        bytes.i32(STRING).i64(values.size());
        values.forEach(bytes::text);
        return this;
    }

    GgufBuilder i32s(String key, int... values) {
        Bytes bytes = key(key, ARRAY);
        bytes.i32(I32).i64(values.length);
        for (int value : values) {
            bytes.i32(value);
        }
        return this;
    }

    GgufBuilder f32s(String key, float... values) {
        Bytes bytes = key(key, ARRAY);
        bytes.i32(F32).i64(values.length).raw(floats(values));
        return this;
    }

    /** A tensor; {@code extents} fastest first. */
    GgufBuilder tensor(String name, GgufType type, byte[] content, long... extents) {
        return tensor(name, type.id(), content, data.size(), extents);
    }

    /** A tensor that claims to be at {@code offset}. */
    GgufBuilder tensor(String name, int type, byte[] content, long offset, long... extents) {
        tensors++;
        infos.text(name).i32(extents.length);
        for (long extent : extents) {
            infos.i64(extent);
        }
        infos.i32(type).i64(offset);
        data.raw(content).pad(alignment);
        return this;
    }

    GgufBuilder floats(String name, float[] values, long... extents) {
        return tensor(name, GgufType.F32, floats(values), extents);
    }

    byte[] bytes() {
        Bytes all = new Bytes();
        all.raw("GGUF".getBytes(StandardCharsets.US_ASCII)).i32(version);
        all.i64(declaredTensors >= 0 ? declaredTensors : tensors);
        all.i64(declaredEntries >= 0 ? declaredEntries : entries);
        all.raw(metadata.toByteArray()).raw(infos.toByteArray());
        all.pad(alignment);
        return all.raw(data.toByteArray()).toByteArray();
    }

    Path write(Path folder, String name) {
        return write(folder, name, bytes());
    }

    static Path write(Path folder, String name, byte[] bytes) {
        try {
            return Files.write(folder.resolve(name), bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Numbers that count up, so that every place has its own. */
    static float[] counting(int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = i + 0.25f;
        }
        return values;
    }
}
