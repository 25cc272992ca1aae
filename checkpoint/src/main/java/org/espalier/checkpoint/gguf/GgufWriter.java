package org.espalier.checkpoint.gguf;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.espalier.checkpoint.IoFailure;
import org.espalier.checkpoint.PendingFile;
import org.espalier.core.UserError;

/**
 * Writes a GGUF file of version 3, tensor by tensor in any order, holding none of them: metadata in the order that is
 * given, tensors in the order of the plan, each padded with zeros to the alignment. The file appears under its name only
 * with {@link #commit}. Tensors may be written from many threads.
 */
public final class GgufWriter implements AutoCloseable {
    private static final int ALIGNMENT = 32;
    private static final int LONGEST_NAME = 63;
    private static final int MOST_AXES = 4;

    private final PendingFile pending;
    private final long dataStart;
    private final Map<String, GgufTensor> tensors = new LinkedHashMap<>();
    private final Set<String> written = ConcurrentHashMap.newKeySet();

    private GgufWriter(PendingFile pending, byte[] header, List<GgufTensor> plan) {
        this.pending = pending;
        this.dataStart = header.length;
        plan.forEach(tensor -> tensors.put(tensor.name(), tensor));
        put(MemorySegment.ofArray(header), 0);
    }

    /**
     * Starts a file with its header.
     *
     * @param file the final name, which must not exist; until the commit a hidden sibling is written
     * @param metadata in the order in which a loop over it goes; without {@code general.alignment}
     * @param plan every tensor of the file, in its order
     */
    public static GgufWriter create(
            Path file, Map<String, GgufValue> metadata, List<GgufSpec> plan) {
        if (Files.exists(file)) {
            throw new UserError(file + " exists already; give another name or remove it first");
        }
        List<GgufTensor> layout = layout(plan);
        byte[] header = MetadataBytes.header(metadata, layout, ALIGNMENT);
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
        } catch (IOException e) {
            throw IoFailure.writing(file, e);
        }
        PendingFile pending = PendingFile.hidden(file);
        try {
            return new GgufWriter(pending, header, layout);
        } catch (RuntimeException e) {
            pending.close();
            throw e;
        }
    }

    /** Places tensors one after the other; {@code begin} counts from the start of the data. */
    private static List<GgufTensor> layout(List<GgufSpec> plan) {
        List<GgufTensor> layout = new ArrayList<>();
        Set<String> names = new HashSet<>();
        long at = 0;
        for (GgufSpec spec : plan) {
            if (!names.add(spec.name())
                    || spec.name().getBytes(StandardCharsets.UTF_8).length > LONGEST_NAME
                    || spec.extents().size() > MOST_AXES) {
                throw new IllegalArgumentException(
                        spec + " is planned twice or breaks the limits of the format");
            }
            layout.add(new GgufTensor(spec.name(), spec.type(), spec.extents(), at, spec.bytes()));
            at = padded(at + spec.bytes());
        }
        return layout;
    }

    /** Writes the bytes of a tensor. */
    public void write(String name, MemorySegment bytes) {
        write(name, 0, 1, bytes);
    }

    /** Writes one of the equal parts that a tensor consists of; the last part is to be written last. */
    public void write(String name, int part, int parts, MemorySegment bytes) {
        GgufTensor info = tensors.get(name);
        if (info == null || bytes.byteSize() * parts != info.bytes()) {
            throw new IllegalArgumentException(
                    name
                            + " is planned as "
                            + info
                            + " but part "
                            + part
                            + " of "
                            + parts
                            + " has "
                            + bytes.byteSize()
                            + " bytes");
        }
        long begin = dataStart + info.begin();
        put(bytes, begin + part * bytes.byteSize());
        if (part == parts - 1) {
            byte[] padding = new byte[(int) (padded(info.bytes()) - info.bytes())];
            put(MemorySegment.ofArray(padding), begin + info.bytes());
            written.add(name);
        }
    }

    private void put(MemorySegment bytes, long position) {
        try {
            pending.channel().put(bytes, position);
        } catch (IOException e) {
            throw IoFailure.writing(pending.file(), e);
        }
    }

    /**
     * Forces the bytes to the disk and gives the file its name.
     *
     * @throws IllegalStateException when a planned tensor was never written
     */
    public void commit() {
        if (written.size() != tensors.size()) {
            throw new IllegalStateException(
                    pending.file()
                            + " lacks "
                            + (tensors.size() - written.size())
                            + " planned tensors");
        }
        pending.commit();
    }

    /** Removes what was written, unless it was committed. */
    @Override
    public void close() {
        pending.close();
    }

    private static long padded(long bytes) {
        return (bytes + ALIGNMENT - 1) & -ALIGNMENT;
    }
}
