package org.espalier.checkpoint.gguf;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.IntStream;
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

    /** What is looked at to tell an importance matrix from a text. */
    private static final int HEAD = 4096;

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

    /**
     * Whether a file begins as one of the two formats does, or as no text does although it is named like them.
     *
     * @param named whether its name says so
     */
    static boolean looksLikeOne(Path path, boolean named) {
        if (!Files.isRegularFile(path)) {
            // A pipe would lose what is read of it here.
            return named;
        }
        byte[] head;
        try (InputStream in = Files.newInputStream(path)) {
            head = in.readNBytes(HEAD);
        } catch (IOException e) {
            throw IoFailure.reading(path, e);
        }
        if (head.length >= 4
                && new String(head, 0, 4, StandardCharsets.ISO_8859_1).equals("GGUF")) {
            return true;
        }
        return isOldHeader(head) || (named && isBinary(head));
    }

    /** A number of entries, the length of a name, and that name, in printable ASCII. */
    private static boolean isOldHeader(byte[] head) {
        if (head.length < 2 * Integer.BYTES + 1) {
            return false;
        }
        ByteBuffer bytes = ByteBuffer.wrap(head).order(ByteOrder.LITTLE_ENDIAN);
        int entries = bytes.getInt();
        int length = bytes.getInt();
        if (entries < 1 || length < 1 || length > Math.min(LONGEST_NAME, bytes.remaining())) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            byte letter = bytes.get();
            if (letter < ' ' || letter > '~') {
                return false;
            }
        }
        return true;
    }

    /** Text has no zero bytes, unless it is UTF-16, which begins with its mark. */
    private static boolean isBinary(byte[] head) {
        boolean marked =
                head.length >= 2
                        && ((head[0] == (byte) 0xfe && head[1] == (byte) 0xff)
                                || (head[0] == (byte) 0xff && head[1] == (byte) 0xfe));
        return !marked && IntStream.range(0, head.length).anyMatch(i -> head[i] == 0);
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
