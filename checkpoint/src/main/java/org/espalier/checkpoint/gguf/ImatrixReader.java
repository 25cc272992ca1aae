package org.espalier.checkpoint.gguf;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import org.espalier.checkpoint.IoFailure;
import org.espalier.checkpoint.Text;
import org.espalier.core.UserError;

/**
 * Reads importance matrices: the old binary file of llama.cpp ({@code examples/imatrix} of b4747) and the GGUF file with
 * {@code general.type = imatrix}. Counts, lengths and numbers are checked before they are used.
 */
final class ImatrixReader {
    private static final int LONGEST_NAME = 1024;

    /** Name length, one byte of name, calls, number of values, one value. */
    private static final int LEAST_ENTRY_BYTES = 4 + 1 + 4 + 4 + 4;

    private static final String SUMS = ".in_sum2";
    private static final String COUNTS = ".counts";
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Path path;
    private final Map<String, Imatrix.Entry> entries = new LinkedHashMap<>();

    private ImatrixReader(Path path) {
        this.path = path;
    }

    static Imatrix read(Path path) {
        if (!Files.isRegularFile(path)) {
            throw new UserError(
                    "there is no file " + path + "; give an importance matrix (.dat or .gguf)");
        }
        ImatrixReader reader = new ImatrixReader(path);
        try (Arena arena = Arena.ofConfined();
                FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            MemorySegment content =
                    channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            if (content.byteSize() >= 4
                    && new String(
                                    content.asSlice(0, 4).toArray(ValueLayout.JAVA_BYTE),
                                    StandardCharsets.ISO_8859_1)
                            .equals("GGUF")) {
                reader.gguf();
            } else {
                reader.binary(new Cursor("importance matrix", path, content));
            }
        } catch (IOException e) {
            throw IoFailure.reading(path, e);
        }
        if (reader.entries.isEmpty()) {
            throw reader.wrong("has no matrices");
        }
        return new Imatrix(path, reader.entries);
    }

    private void binary(Cursor cursor) {
        int count = cursor.i32("the number of entries");
        if (count < 1 || count > cursor.remaining() / LEAST_ENTRY_BYTES) {
            throw cursor.fault("declares " + count + " entries, which its size cannot hold");
        }
        for (int i = 0; i < count; i++) {
            String part = "entry " + i;
            int length = cursor.i32(part);
            if (length < 1 || length > LONGEST_NAME) {
                throw cursor.fault("declares a name of " + length + " bytes in " + part);
            }
            String name = new String(cursor.bytes(length, part), StandardCharsets.UTF_8);
            int calls = cursor.i32(part);
            int values = cursor.i32(part);
            if (calls < 1 || values < 1 || values > cursor.remaining() / Float.BYTES) {
                throw cursor.fault(
                        "declares " + calls + " calls and " + values + " values in " + part);
            }
            double[] means = new double[values];
            for (int j = 0; j < values; j++) {
                means[j] = checked(cursor.f32(part), name) / calls;
            }
            put(name, means, new long[] {calls});
        }
        if (cursor.remaining() > 0) {
            cursor.i32("the number of chunks");
            int length = cursor.i32("the length of the data set's name");
            if (length < 0 || length != cursor.remaining()) {
                throw cursor.fault(
                        "has "
                                + cursor.remaining()
                                + " bytes at its end where a name of "
                                + length
                                + " is due");
            }
        }
    }

    private void gguf() {
        try (GgufFile file = GgufFile.open(path)) {
            String type = new Metadata(path, file.metadata()).optionalText("general.type");
            if (!"imatrix".equals(type)) {
                throw wrong("is a GGUF file but no importance matrix (general.type)");
            }
            for (GgufTensor sums : file.tensors().values()) {
                if (!sums.name().endsWith(SUMS)) {
                    continue;
                }
                String name = sums.name().substring(0, sums.name().length() - SUMS.length());
                GgufTensor counts = file.tensors().get(name + COUNTS);
                if (counts == null || !fit(sums, counts)) {
                    throw wrong(
                            "has no fitting sums and counts, both F32, for " + Text.quote(name));
                }
                put(name, floats(file, sums), floats(file, counts));
            }
        }
    }

    private static boolean fit(GgufTensor sums, GgufTensor counts) {
        return counts.elements() > 0
                && sums.elements() > 0
                && sums.elements() % counts.elements() == 0
                && sums.elements() <= Integer.MAX_VALUE
                && sums.type() == GgufType.F32
                && counts.type() == GgufType.F32;
    }

    private void put(String name, double[] sums, double[] counts) {
        long[] tokens = new long[counts.length];
        int columns = sums.length / counts.length;
        for (int expert = 0; expert < counts.length; expert++) {
            tokens[expert] = (long) counts[expert];
            for (int i = expert * columns; i < (expert + 1) * columns; i++) {
                sums[i] = tokens[expert] == 0 ? 0 : sums[i] / counts[expert];
            }
        }
        put(name, sums, tokens);
    }

    private void put(String name, double[] means, long[] counts) {
        if (entries.put(name, new Imatrix.Entry(means, counts)) != null) {
            throw wrong("has " + Text.quote(name) + " twice");
        }
    }

    private double[] floats(GgufFile file, GgufTensor tensor) {
        MemorySegment bytes = file.segment(tensor.name());
        double[] values = new double[(int) tensor.elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = checked(bytes.get(FLOAT, 4L * i), tensor.name());
        }
        return values;
    }

    private double checked(float value, String name) {
        if (!Float.isFinite(value) || value < 0) {
            throw wrong("has " + value + " where " + Text.quote(name) + " needs a sum of squares");
        }
        return value;
    }

    private UserError wrong(String fault) {
        return new UserError(
                path + " " + fault + "; give an importance matrix that llama-imatrix has written");
    }
}
