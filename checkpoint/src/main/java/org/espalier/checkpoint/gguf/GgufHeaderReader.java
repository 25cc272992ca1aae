package org.espalier.checkpoint.gguf;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.espalier.checkpoint.Text;
import org.espalier.core.UserError;
import org.jspecify.annotations.Nullable;

/**
 * Reads and checks everything before the data of a GGUF file: every check of the reference reader (ggml
 * {@code src/gguf.cpp}) plus bounds on memory. Each fault has a message of its own.
 */
final class GgufHeaderReader {
    static final byte[] MAGIC = {'G', 'G', 'U', 'F'};
    private static final String ALIGNMENT = "general.alignment";
    private static final long DEFAULT_ALIGNMENT = 32;
    private static final int MOST_AXES = 4;
    private static final int LONGEST_NAME = 63;

    /** An empty name, no axes: length, axes, type, offset. */
    private static final int LEAST_TENSOR_BYTES = 8 + 4 + 4 + 8;

    /** A key of one byte, a type, a value of one byte. */
    private static final int LEAST_ENTRY_BYTES = 8 + 1 + 4 + 1;

    private final Path file;
    private final MemorySegment content;
    private final Cursor cursor;
    private final long fileBytes;

    /** What the file says of a tensor, before it is known where the data begins. */
    private record Declared(
            String name, int typeId, GgufType type, List<Long> extents, long bytes, long offset) {}

    private GgufHeaderReader(Path file, MemorySegment content) {
        this.file = file;
        this.content = content;
        this.cursor = new Cursor("GGUF file", file, content);
        this.fileBytes = content.byteSize();
    }

    /** Reads the header of the mapped {@code content}; every fault is a {@link UserError} naming {@code file}. */
    static GgufHeader read(Path file, MemorySegment content) {
        return new GgufHeaderReader(file, content).read();
    }

    private GgufHeader read() {
        if (fileBytes < MAGIC.length || !Arrays.equals(cursor.bytes(4, "the magic"), MAGIC)) {
            throw OtherFiles.refused(file, content);
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
                            + " is big-endian; get the usual little-endian file, or turn it with"
                            + " gguf_convert_endian.py of llama.cpp");
        }
        if (version != 2 && version != 3) {
            String number = Integer.toUnsignedString(version);
            throw new UserError(
                    "GGUF file "
                            + file
                            + " has version "
                            + number
                            + "; versions 2 and 3 can be read: "
                            + (version == 1
                                    ? "get a newer file of the model, or convert it again from its Hugging Face folder"
                                    : "get the file that a current llama.cpp reads, or the Hugging Face folder"));
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
        GgufType type = id < 0 ? GgufType.OTHER : GgufType.of(id);
        if (id < 0) {
            throw cursor.fault("has " + tensor + " of the type " + id + ", which is none");
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
        return new Declared(name, id, type, extents, bytes, cursor.i64(part));
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
        @Nullable Declared beyond = null;
        long expected = 0;
        long end = 0;
        for (int i = 0; i < declared.size(); i++) {
            Declared tensor = declared.get(i);
            if (tensor.offset() != expected) {
                throw cursor.fault(
                        "has tensor "
                                + Text.quote(tensor.name())
                                + " at offset "
                                + Long.toUnsignedString(tensor.offset())
                                + " where the tensors before it end at "
                                + expected);
            }
            long begin = sum(dataStart, expected, tensor);
            boolean last = i + 1 == declared.size();
            long bytes = tensor.bytes();
            if (tensor.type() == GgufType.OTHER) {
                bytes =
                        last
                                ? Math.max(0, fileBytes - begin)
                                : distance(tensor, declared.get(i + 1), alignment);
            }
            end = sum(begin, bytes, tensor);
            if (end > fileBytes && beyond == null) {
                beyond = tensor;
            }
            GgufTensor placed =
                    new GgufTensor(
                            tensor.name(),
                            tensor.typeId(),
                            tensor.type(),
                            tensor.extents(),
                            begin,
                            bytes);
            if (tensors.put(tensor.name(), placed) != null) {
                throw cursor.fault("has the tensor " + Text.quote(tensor.name()) + " twice");
            }
            long stop = sum(expected, bytes, tensor);
            sum(stop, alignment, tensor); // so that the padding cannot run over
            expected = padded(stop, alignment);
        }
        if (beyond != null) {
            throw cutOff(beyond, end);
        }
        return tensors;
    }

    /** How many bytes a tensor of a type without a layout has, its padding included: up to the next one. */
    private long distance(Declared tensor, Declared next, long alignment) {
        if (next.offset() < tensor.offset() || next.offset() % alignment != 0) {
            throw cursor.fault(
                    "has tensor "
                            + Text.quote(next.name())
                            + " at offset "
                            + Long.toUnsignedString(next.offset())
                            + ", before or within "
                            + Text.quote(tensor.name()));
        }
        return next.offset() - tensor.offset();
    }

    private long sum(long a, long b, Declared tensor) {
        try {
            return Math.addExact(a, b);
        } catch (ArithmeticException e) {
            throw cursor.fault(
                    "has tensor " + Text.quote(tensor.name()) + " beyond what 64 bits can count",
                    e);
        }
    }

    private UserError cutOff(Declared first, long end) {
        String name = String.valueOf(file.getFileName());
        String start =
                "GGUF file "
                        + file
                        + " is cut off: it has "
                        + fileBytes
                        + " bytes of "
                        + end
                        + ", so "
                        + (end - fileBytes)
                        + " are missing from tensor "
                        + Text.quote(first.name())
                        + " on; ";
        return new UserError(
                start
                        + (name.toLowerCase(Locale.ROOT).endsWith(".gguf")
                                ? "go on with the download, or get the file again"
                                : "if it is the first piece of a file, join all pieces with cat"));
    }

    private static long padded(long bytes, long alignment) {
        return (bytes + alignment - 1) & -alignment;
    }
}
