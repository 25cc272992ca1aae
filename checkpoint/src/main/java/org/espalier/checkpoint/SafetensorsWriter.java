package org.espalier.checkpoint;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.tensor.Tensors;

/**
 * Writes a safetensors file tensor by tensor, in any order, holding none of them: the whole plan is known from the
 * start, so the header goes first and each tensor to its final place. The bytes are those of the reference writer. The
 * file appears under its name only with {@link #commit}. Tensors may be written from many threads.
 */
public final class SafetensorsWriter implements AutoCloseable {
    private final PendingFile pending;
    private final SegmentChannel channel;
    private final long dataStart;
    private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();

    /** The checksums of the tensors that were written. */
    private final Map<String, String> written = new ConcurrentHashMap<>();

    private SafetensorsWriter(PendingFile pending, byte[] header, List<TensorInfo> plan)
            throws IOException {
        this.pending = pending;
        this.channel = pending.channel();
        this.dataStart = header.length;
        plan.forEach(tensor -> tensors.put(tensor.name(), tensor));
        long end = plan.isEmpty() ? dataStart : dataStart + plan.getLast().end();
        if (!startsWith(header) || channel.size() > end) {
            channel.truncate();
            channel.put(MemorySegment.ofArray(header), 0);
        }
    }

    /**
     * Starts a file with its header.
     *
     * @param file the final name; until the commit a hidden sibling is written
     * @param plan every tensor of the file
     * @param metadata further entries of {@code __metadata__}; {@code format: pt}, which transformers asks for, is added
     */
    public static SafetensorsWriter create(
            Path file, Collection<TensorSpec> plan, Map<String, String> metadata) {
        return open(PendingFile.hidden(file), plan, metadata);
    }

    /**
     * Starts a file under its final name, or takes up one that an earlier writer of the same plan has left. What it has
     * written counts only after {@link #restore}; {@link #close} without commit leaves the file as it is.
     */
    static SafetensorsWriter inPlace(
            Path file, Collection<TensorSpec> plan, Map<String, String> metadata) {
        return open(PendingFile.inPlace(file), plan, metadata);
    }

    private static SafetensorsWriter open(
            PendingFile pending, Collection<TensorSpec> plan, Map<String, String> metadata) {
        try {
            List<TensorInfo> layout = HeaderWriter.layout(plan);
            Map<String, String> entries = new LinkedHashMap<>();
            entries.put("format", "pt");
            entries.putAll(metadata);
            byte[] header = HeaderWriter.bytes(pending.file(), layout, entries);
            return new SafetensorsWriter(pending, header, layout);
        } catch (IOException e) {
            pending.close();
            throw IoFailure.writing(pending.file(), e);
        } catch (RuntimeException e) {
            pending.close();
            throw e;
        }
    }

    /** The tensors by name, where they will lie. */
    public Map<String, TensorInfo> tensors() {
        return Map.copyOf(tensors);
    }

    /** Whether a tensor has been written. */
    public boolean isWritten(String name) {
        return written.containsKey(name);
    }

    /** CRC-32C of the bytes of a tensor that was written, for {@link #restore}. */
    String checksum(String name) {
        return Objects.requireNonNull(written.get(name), name);
    }

    /**
     * Counts a tensor as written by an earlier writer, if its bytes are there.
     *
     * @return whether they are: bytes with that checksum
     */
    boolean restore(String name, String checksum) {
        try (PointerScope scope = new PointerScope()) {
            MemorySegment bytes = Tensors.segment(bytes(info(name)));
            if (!channel.read(bytes, begin(info(name)))
                    || !SegmentChannel.checksum(bytes).equals(checksum)) {
                return false;
            }
            written.put(name, checksum);
            return true;
        } catch (IOException e) {
            throw IoFailure.reading(pending.file(), e);
        }
    }

    /** Reads a tensor that was written, in the planned dtype; it belongs to the innermost scope of the caller. */
    Tensor read(String name) {
        checksum(name);
        TensorInfo info = info(name);
        ScalarType type =
                info.dtype()
                        .scalarType()
                        .orElseThrow(() ->
                                new IllegalArgumentException(
                                        name + " has a dtype that libtorch lacks"));
        Tensor tensor = torch.empty(info.dimensions(), Tensors.options(type), null);
        try {
            if (!channel.read(Tensors.segment(tensor), begin(info))) {
                throw new IllegalStateException(pending.file() + " has been cut off");
            }
        } catch (IOException e) {
            throw IoFailure.reading(pending.file(), e);
        }
        return tensor;
    }

    /** Forces what was written to the disk. */
    void force() {
        try {
            channel.force();
        } catch (IOException e) {
            throw IoFailure.writing(pending.file(), e);
        }
    }

    /**
     * Writes a tensor of the planned shape, converted to the planned dtype (to nearest, ties to even). A finite value
     * that the dtype cannot hold is a {@link org.espalier.core.UserError} that names the tensor.
     */
    public void write(String name, Tensor tensor) {
        TensorInfo info = info(name);
        if (!Arrays.equals(Tensors.shape(tensor), info.dimensions())) {
            throw new IllegalArgumentException(
                    name
                            + " is planned as "
                            + info.shape()
                            + " but given as "
                            + Tensors.describe(tensor));
        }
        try (PointerScope scope = new PointerScope()) {
            Tensor converted = Conversion.convert(name, tensor.detach(), info.dtype());
            writeBytes(name, Tensors.segment(converted));
        }
    }

    /** Writes the bytes of a tensor as they are. */
    public void writeBytes(String name, MemorySegment bytes) {
        TensorInfo info = info(name);
        if (bytes.byteSize() != info.bytes()) {
            throw new IllegalArgumentException(
                    name
                            + " takes "
                            + info.bytes()
                            + " bytes but "
                            + bytes.byteSize()
                            + " are given");
        }
        try {
            channel.put(bytes, begin(info));
        } catch (IOException e) {
            throw IoFailure.writing(pending.file(), e);
        }
        written.put(name, SegmentChannel.checksum(bytes));
    }

    /**
     * Forces the bytes to the disk and gives the file its name, replacing an older one in one step.
     *
     * @throws IllegalStateException when a planned tensor was never written
     */
    public void commit() {
        Set<String> missing = new TreeSet<>(tensors.keySet());
        missing.removeAll(written.keySet());
        if (!missing.isEmpty()) {
            throw new IllegalStateException(
                    pending.file()
                            + " lacks "
                            + missing.size()
                            + " planned tensors, "
                            + missing.iterator().next()
                            + " first");
        }
        pending.commit();
    }

    /** Removes what was written, unless it was committed. */
    @Override
    public void close() {
        pending.close();
    }

    private boolean startsWith(byte[] header) throws IOException {
        byte[] found = new byte[header.length];
        return channel.read(MemorySegment.ofArray(found), 0) && Arrays.equals(found, header);
    }

    private long begin(TensorInfo info) {
        return dataStart + info.begin();
    }

    private static Tensor bytes(TensorInfo info) {
        return torch.empty(new long[] {info.bytes()}, Tensors.options(ScalarType.Byte), null);
    }

    private TensorInfo info(String name) {
        TensorInfo info = tensors.get(name);
        if (info == null) {
            throw new IllegalArgumentException(name + " is not in the plan of " + pending.file());
        }
        return info;
    }
}
