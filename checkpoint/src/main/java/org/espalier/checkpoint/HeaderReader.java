package org.espalier.checkpoint;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.espalier.core.UserError;

/**
 * Reads and checks the header of a safetensors file: every check of the reference reader (safetensors/src/tensor.rs)
 * plus bounds on depth and memory. Each fault has a message of its own.
 */
final class HeaderReader {
    private static final ValueLayout.OfLong LITTLE_ENDIAN_LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /**
     * Heap bytes that a header byte may cost at worst: tiny metadata entries, each with a map node, two strings and the
     * parser's own duplicate table.
     */
    private static final int HEAP_PER_HEADER_BYTE = 32;

    private static final String AGAIN =
            "; the file is damaged or incomplete: copy or download it again";

    private final Path file;

    private HeaderReader(Path file) {
        this.file = file;
    }

    /** Reads the header of the mapped {@code content}; every fault is a {@link UserError} naming {@code file}. */
    static SafetensorsHeader read(Path file, MemorySegment content) {
        return new HeaderReader(file).read(content, Runtime.getRuntime().maxMemory());
    }

    private SafetensorsHeader read(MemorySegment content, long heapBytes) {
        long fileBytes = content.byteSize();
        if (fileBytes < SafetensorsHeader.LENGTH_BYTES) {
            throw fault(
                    "is only "
                            + fileBytes
                            + " bytes long, less than the 8 that start every safetensors file");
        }
        long length = content.get(LITTLE_ENDIAN_LONG, 0);
        checkLength(file, length, fileBytes, heapBytes);
        byte[] json =
                content.asSlice(SafetensorsHeader.LENGTH_BYTES, length)
                        .toArray(ValueLayout.JAVA_BYTE);
        HeaderParser parsed = HeaderParser.parse(file, json);
        List<TensorInfo> tensors = new ArrayList<>(parsed.tensors());
        tensors.sort(
                Comparator.comparingLong(TensorInfo::begin).thenComparingLong(TensorInfo::end));
        checkOffsets(tensors);
        tensors.forEach(this::checkSize);
        SafetensorsHeader header =
                new SafetensorsHeader(
                        tensors, parsed.metadata(), SafetensorsHeader.LENGTH_BYTES + length);
        checkEnd(header, fileBytes);
        return header;
    }

    /** Checks the header's length against the format, the file and the heap, before anything is allocated for it. */
    static void checkLength(Path file, long length, long fileBytes, long heapBytes) {
        HeaderReader reader = new HeaderReader(file);
        if (length < 0 || length > SafetensorsHeader.MAX_BYTES) {
            throw reader.fault(
                    "declares a header of "
                            + Long.toUnsignedString(length)
                            + " bytes, more than the "
                            + SafetensorsHeader.MAX_BYTES
                            + " that the format allows");
        }
        if (length > fileBytes - SafetensorsHeader.LENGTH_BYTES) {
            throw reader.fault(
                    "declares a header of "
                            + length
                            + " bytes but has only "
                            + (fileBytes - SafetensorsHeader.LENGTH_BYTES)
                            + " after the length");
        }
        long needed = length * HEAP_PER_HEADER_BYTE;
        if (needed > heapBytes) {
            throw new UserError(
                    "safetensors file "
                            + file
                            + " has a header of "
                            + length
                            + " bytes, which may need "
                            + (needed >> 20)
                            + " MiB of heap where Java has "
                            + (heapBytes >> 20)
                            + "; start Java with a larger -Xmx");
        }
    }

    private void checkOffsets(List<TensorInfo> tensors) {
        long expected = 0;
        for (TensorInfo tensor : tensors) {
            if (tensor.end() < tensor.begin()) {
                throw fault(
                        tensor,
                        "ends at byte " + tensor.end() + ", before it begins at " + tensor.begin());
            }
            if (tensor.begin() != expected) {
                String how =
                        tensor.begin() < expected
                                ? "overlaps the tensor before it"
                                : "leaves a hole before it";
                throw fault(
                        tensor,
                        "begins at byte "
                                + tensor.begin()
                                + " where "
                                + expected
                                + " is due: it "
                                + how);
            }
            expected = tensor.end();
        }
    }

    private void checkSize(TensorInfo tensor) {
        long bits;
        try {
            bits = Math.multiplyExact(tensor.elements(), (long) tensor.dtype().bits());
        } catch (ArithmeticException e) {
            throw fault(
                    tensor, "has the shape " + shape(tensor) + ", whose size overflows 64 bits");
        }
        if (bits % 8 != 0) {
            throw fault(
                    tensor,
                    "has "
                            + bits
                            + " bits of "
                            + tensor.dtype()
                            + ", which do not fill whole bytes");
        }
        if (bits / 8 != tensor.bytes()) {
            throw fault(
                    tensor,
                    "is "
                            + tensor.dtype()
                            + " of shape "
                            + shape(tensor)
                            + ", which takes "
                            + bits / 8
                            + " bytes, but its data_offsets span "
                            + tensor.bytes());
        }
    }

    private void checkEnd(SafetensorsHeader header, long fileBytes) {
        long present = fileBytes - header.dataStart();
        long declared = header.dataBytes();
        if (present < declared) {
            throw fault(
                    "is cut off: its tensors need "
                            + declared
                            + " bytes of data but only "
                            + present
                            + " are there");
        }
        if (present > declared) {
            throw fault("has " + (present - declared) + " bytes after its last tensor");
        }
    }

    private static String shape(TensorInfo tensor) {
        return Text.line(tensor.shape().toString());
    }

    private UserError fault(String what) {
        return new UserError("safetensors file " + file + " " + what + AGAIN);
    }

    private UserError fault(TensorInfo tensor, String what) {
        return new UserError(
                "safetensors file "
                        + file
                        + ": tensor "
                        + Text.quote(tensor.name())
                        + " "
                        + what
                        + AGAIN);
    }
}
