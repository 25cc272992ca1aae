package org.espalier.checkpoint;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.tensor.Tensors;

/**
 * Writes a safetensors file tensor by tensor, in any order, holding none of them: the whole plan is known from the
 * start, so the header goes first and each tensor to its final place. The bytes are those of the reference writer. The
 * file appears under its name only with {@link #commit}. Tensors may be written from many threads.
 */
public final class SafetensorsWriter implements AutoCloseable {
    /** A byte buffer cannot span more than 2 GiB. */
    private static final int CHUNK = 1 << 28;

    private final Path file;
    private final Path temporary;
    private final FileChannel channel;
    private final long dataStart;
    private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();
    private final Set<String> written = ConcurrentHashMap.newKeySet();
    private boolean committed;

    private SafetensorsWriter(
            Path file, Path temporary, FileChannel channel, byte[] header, List<TensorInfo> plan)
            throws IOException {
        this.file = file;
        this.temporary = temporary;
        this.channel = channel;
        this.dataStart = header.length;
        plan.forEach(tensor -> tensors.put(tensor.name(), tensor));
        put(ByteBuffer.wrap(header), 0);
    }

    /**
     * Starts a file with its header.
     *
     * @param file the final name; until the commit a sibling with the suffix {@code .tmp} is written
     * @param plan every tensor of the file
     * @param metadata further entries of {@code __metadata__}; {@code format: pt}, which transformers asks for, is added
     */
    public static SafetensorsWriter create(
            Path file, Collection<TensorSpec> plan, Map<String, String> metadata) {
        List<TensorInfo> layout = HeaderWriter.layout(plan);
        Map<String, String> entries = new LinkedHashMap<>();
        entries.put("format", "pt");
        entries.putAll(metadata);
        byte[] header = HeaderWriter.bytes(file, layout, entries);
        Path temporary = file.resolveSibling(file.getFileName() + ".tmp");
        try {
            FileChannel channel =
                    FileChannel.open(
                            temporary,
                            StandardOpenOption.CREATE,
                            StandardOpenOption.TRUNCATE_EXISTING,
                            StandardOpenOption.WRITE);
            try {
                return new SafetensorsWriter(file, temporary, channel, header, layout);
            } catch (IOException e) {
                channel.close();
                Files.deleteIfExists(temporary);
                throw e;
            }
        } catch (IOException e) {
            throw IoFailure.writing(temporary, e);
        }
    }

    /** The tensors by name, where they will lie. */
    public Map<String, TensorInfo> tensors() {
        return Map.copyOf(tensors);
    }

    /** Whether a tensor has been written. */
    public boolean isWritten(String name) {
        return written.contains(name);
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
            for (long at = 0; at < bytes.byteSize(); at += CHUNK) {
                long count = Math.min(CHUNK, bytes.byteSize() - at);
                put(bytes.asSlice(at, count).asByteBuffer(), dataStart + info.begin() + at);
            }
        } catch (IOException e) {
            throw IoFailure.writing(temporary, e);
        }
        written.add(name);
    }

    /**
     * Forces the bytes to the disk and gives the file its name, replacing an older one in one step.
     *
     * @throws IllegalStateException when a planned tensor was never written
     */
    public void commit() {
        Set<String> missing = new TreeSet<>(tensors.keySet());
        missing.removeAll(written);
        if (!missing.isEmpty()) {
            throw new IllegalStateException(
                    file
                            + " lacks "
                            + missing.size()
                            + " planned tensors, "
                            + missing.iterator().next()
                            + " first");
        }
        try {
            channel.force(true);
            channel.close();
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
            committed = true;
        } catch (IOException e) {
            throw IoFailure.writing(file, e);
        }
    }

    /** Removes what was written, unless it was committed. */
    @Override
    public void close() {
        if (committed) {
            return;
        }
        try {
            channel.close();
            Files.deleteIfExists(temporary);
        } catch (IOException e) {
            throw IoFailure.writing(temporary, e);
        }
    }

    private void put(ByteBuffer bytes, long position) throws IOException {
        long at = position;
        while (bytes.hasRemaining()) {
            at += channel.write(bytes, at);
        }
    }

    private TensorInfo info(String name) {
        TensorInfo info = tensors.get(name);
        if (info == null) {
            throw new IllegalArgumentException(name + " is not in the plan of " + file);
        }
        return info;
    }
}
