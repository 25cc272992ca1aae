package org.espalier.checkpoint.gguf;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.espalier.checkpoint.Text;
import org.espalier.core.UserError;
import org.jspecify.annotations.Nullable;

/**
 * Reads and checks everything before the data of a GGUF file: every check of the reference reader (ggml
 * {@code src/gguf.cpp}) plus bounds on memory. Each fault has a message of its own.
 */
final class GgufHeaderReader {
    private static final byte[] MAGIC = {'G', 'G', 'U', 'F'};
    private static final String ALIGNMENT = "general.alignment";
    private static final long DEFAULT_ALIGNMENT = 32;
    private static final int MOST_AXES = 4;
    private static final int LONGEST_NAME = 63;

    /** An empty name, no axes: length, axes, type, offset. */
    private static final int LEAST_TENSOR_BYTES = 8 + 4 + 4 + 8;

    /** A key of one byte, a type, a value of one byte. */
    private static final int LEAST_ENTRY_BYTES = 8 + 1 + 4 + 1;

    private final Path file;
    private final Cursor cursor;
    private final long fileBytes;

    /** What the file says of a tensor, before it is known where the data begins. */
    private record Declared(
            String name, GgufType type, List<Long> extents, long bytes, long offset) {}

    private GgufHeaderReader(Path file, MemorySegment content) {
        this.file = file;
        this.cursor = new Cursor("GGUF file", file, content);
        this.fileBytes = content.byteSize();
    }

    /** Reads the header of the mapped {@code content}; every fault is a {@link UserError} naming {@code file}. */
    static GgufHeader read(Path file, MemorySegment content) {
        return new GgufHeaderReader(file, content).read();
    }

    private GgufHeader read() {
        if (!Arrays.equals(cursor.bytes(4, "the magic number"), MAGIC)) {
            throw new UserError(
                    file + " does not begin with 'GGUF'; give a model file of llama.cpp");
        }
        int version = version();
        long tensorCount = count("tensors", LEAST_TENSOR_BYTES);
        long entryCount = count("metadata entries", LEAST_ENTRY_BYTES);
        Map<String, GgufValue> metadata =
                new MetadataReader(cursor, Runtime.getRuntime().maxMemory()).read(entryCount);
        long alignment = alignment(metadata.get(ALIGNMENT));
        List<Declared> declared = new ArrayList<>();
        for (long i = 0; i < tensorCount; i++) {
            declared.add(tensor("the description of tensor " + i));
        }
        return new GgufHeader(version, metadata, place(declared, alignment));
    }

    private int version() {
        int version = cursor.i32("the version");
        if ((version & 0xFFFF) == 0 && version != 0) {
            throw new UserError(
                    "GGUF file "
                            + file
                            + " is big-endian; convert it on the machine that made it, or get the"
                            + " usual little-endian file");
        }
        if (version != 2 && version != 3) {
            throw new UserError(
                    "GGUF file "
                            + file
                            + " has version "
                            + Integer.toUnsignedString(version)
                            + "; versions 2 and 3 can be read: convert it with a current llama.cpp");
        }
        return version;
    }

    private long count(String things, int leastBytes) {
        long count = cursor.i64("the number of " + things);
        if (count < 0) {
            throw cursor.fault("declares " + count + " " + things);
        }
        if (count > cursor.remaining() / leastBytes) {
            throw cursor.fault(
                    "declares "
                            + count
                            + " "
                            + things
                            + " but has only "
                            + cursor.remaining()
                            + " bytes left");
        }
        return count;
    }

    private long alignment(@Nullable GgufValue value) {
        if (value == null) {
            return DEFAULT_ALIGNMENT;
        }
        if (!(value instanceof GgufValue.Whole whole) || whole.type() != GgufValueType.U32) {
            throw cursor.fault("has a " + ALIGNMENT + " that is no unsigned 32-bit integer");
        }
        if (Long.bitCount(whole.value()) != 1) {
            throw cursor.fault(
                    "has a " + ALIGNMENT + " of " + whole.value() + ", which is no power of two");
        }
        return whole.value();
    }

    private Declared tensor(String part) {
        String name = cursor.name(part);
        if (name.getBytes(StandardCharsets.UTF_8).length > LONGEST_NAME) {
            throw cursor.fault(
                    "has a tensor name of more than "
                            + LONGEST_NAME
                            + " bytes, "
                            + Text.quote(name));
        }
        String tensor = "tensor " + Text.quote(name);
        int axes = cursor.i32(part);
        if (axes < 0 || axes > MOST_AXES) {
            throw cursor.fault(
                    "has "
                            + tensor
                            + " with "
                            + Integer.toUnsignedString(axes)
                            + " axes, more than "
                            + MOST_AXES);
        }
        List<Long> extents = new ArrayList<>();
        long elements = 1;
        for (int axis = 0; axis < axes; axis++) {
            long extent = cursor.i64(part);
            if (extent < 0) {
                throw cursor.fault("has " + tensor + " with the negative extent " + extent);
            }
            extents.add(extent);
            elements = multiply(elements, extent, tensor);
        }
        int id = cursor.i32(part);
        GgufType type = GgufType.of(id);
        if (type == null) {
            throw new UserError(
                    "GGUF file "
                            + file
                            + " has "
                            + tensor
                            + " of type "
                            + id
                            + ", which was removed from the format or is not known here; convert"
                            + " the model to Q8_0, F16 or F32 with llama.cpp");
        }
        long row = extents.isEmpty() ? 1 : extents.getFirst();
        if (row % type.blockElements() != 0) {
            throw cursor.fault(
                    "has "
                            + tensor
                            + " with rows of "
                            + row
                            + " elements, no multiple of the "
                            + type.blockElements()
                            + " in a block of "
                            + type);
        }
        long bytes = multiply(elements / type.blockElements(), type.blockBytes(), tensor);
        return new Declared(name, type, extents, bytes, cursor.i64(part));
    }

    private long multiply(long a, long b, String tensor) {
        try {
            return Math.multiplyExact(a, b);
        } catch (ArithmeticException e) {
            throw cursor.fault("has " + tensor + " with more bytes than 64 bits can count", e);
        }
    }

    /** Offsets must be the running sum of the padded sizes, in the order of the descriptions. */
    private Map<String, GgufTensor> place(List<Declared> declared, long alignment) {
        long dataStart = padded(cursor.position(), alignment);
        Map<String, GgufTensor> tensors = new LinkedHashMap<>();
        long expected = 0;
        for (Declared tensor : declared) {
            if (tensor.offset() != expected) {
                throw cursor.fault(
                        "has tensor "
                                + Text.quote(tensor.name())
                                + " at offset "
                                + Long.toUnsignedString(tensor.offset())
                                + " where the tensors before it end at "
                                + expected);
            }
            long begin = dataStart + expected;
            if (begin > fileBytes || tensor.bytes() > fileBytes - begin) {
                throw cursor.fault(
                        "has "
                                + fileBytes
                                + " bytes but tensor "
                                + Text.quote(tensor.name())
                                + " needs "
                                + tensor.bytes()
                                + " from byte "
                                + begin);
            }
            GgufTensor placed =
                    new GgufTensor(
                            tensor.name(), tensor.type(), tensor.extents(), begin, tensor.bytes());
            if (tensors.put(tensor.name(), placed) != null) {
                throw cursor.fault("has the tensor " + Text.quote(tensor.name()) + " twice");
            }
            expected = padded(expected + tensor.bytes(), alignment);
        }
        return tensors;
    }

    private static long padded(long bytes, long alignment) {
        return (bytes + alignment - 1) & -alignment;
    }
}
