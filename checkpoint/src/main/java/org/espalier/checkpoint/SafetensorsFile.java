package org.espalier.checkpoint;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.UserError;
import org.espalier.core.tensor.Tensors;
import org.jspecify.annotations.Nullable;

/**
 * A safetensors file, mapped into memory and checked as a whole before anything is handed out. Reading a tensor copies
 * nothing; pages come from the disk when they are touched. Files larger than 2 GiB are fine. Safe for many threads.
 */
public final class SafetensorsFile implements WeightFile {
    private static final int DIGEST_CHUNK = 1 << 26;

    private final Path path;
    private final Arena arena;
    private final MemorySegment content;
    private final SafetensorsHeader header;
    private final Map<String, TensorInfo> tensors;

    private SafetensorsFile(
            Path path, Arena arena, MemorySegment content, SafetensorsHeader header) {
        this.path = path;
        this.arena = arena;
        this.content = content;
        this.header = header;
        Map<String, TensorInfo> byName = new LinkedHashMap<>();
        header.tensors().forEach(tensor -> byName.put(tensor.name(), tensor));
        this.tensors = Collections.unmodifiableMap(byName);
    }

    /** Maps and checks a file. Whatever is wrong with it is a {@link UserError} that names the file and the tensor. */
    public static SafetensorsFile open(Path path) {
        if (Files.isRegularFile(path)) {
            Impostor.refuseForBinary(path, Impostor.head(path));
        } else {
            throw new UserError(
                    (Files.exists(path) ? path + " is not a file" : "there is no file " + path)
                            + "; give the path of a .safetensors file");
        }
        Arena arena = Arena.ofShared();
        boolean opened = false;
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            MemorySegment content =
                    channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            SafetensorsFile file =
                    new SafetensorsFile(path, arena, content, HeaderReader.read(path, content));
            opened = true;
            return file;
        } catch (IOException e) {
            throw IoFailure.reading(path, e);
        } finally {
            if (!opened) {
                arena.close();
            }
        }
    }

    /** The path that was opened. */
    @Override
    public Path path() {
        return path;
    }

    /** The tensors by name, in the order of their data in the file. */
    @Override
    public Map<String, TensorInfo> tensors() {
        return tensors;
    }

    /** The strings under {@code __metadata__}. */
    @Override
    public Map<String, String> metadata() {
        return header.metadata();
    }

    /** Size of the file in bytes. */
    public long bytes() {
        return content.byteSize();
    }

    /** The bytes of a tensor, read-only, shared with the mapping: valid until this file is closed. */
    @Override
    public MemorySegment segment(String name) {
        TensorInfo info = info(name);
        return content.asSlice(header.dataStart() + info.begin(), info.bytes());
    }

    /**
     * The tensor over the mapped bytes, in the file's dtype, without a copy (with one where the data does not lie on a
     * multiple of the element size). It belongs to the innermost scope of the caller, must not be used after this file
     * is closed, and <em>must never be written to</em>: the pages are read-only and the process would die.
     */
    @Override
    public Tensor tensor(String name) {
        TensorInfo info = info(name);
        MemorySegment data = segment(name);
        @Nullable ScalarType type = info.dtype().scalarType().orElse(null);
        if (type == null) {
            throw new UserError(
                    "tensor "
                            + Text.quote(name)
                            + " in "
                            + path
                            + " is "
                            + info.dtype()
                            + ", which cannot be computed with; convert the checkpoint to bfloat16 or float32 first");
        }
        long[] shape = info.dimensions();
        if (data.address() % Math.max(1, info.dtype().bits() / 8) == 0) {
            return Tensors.over(data, type, shape);
        }
        Tensor copy = torch.empty(shape, Tensors.options(type), null);
        Tensors.segment(copy).copyFrom(data);
        return copy;
    }

    /**
     * Gives the memory of a tensor's pages back to the system. Mapped pages that were touched count as resident memory
     * of the process until then; whoever reads the tensor again gets them from the disk again.
     */
    @Override
    public void unload(String name) {
        segment(name).unload();
    }

    /** Never: the format knows neither strides nor shared data. */
    @Override
    public boolean isConverted(String name) {
        return false;
    }

    @Override
    public Map<String, String> twins() {
        return Map.of();
    }

    @Override
    public List<String> leftOut() {
        return List.of();
    }

    /** SHA-256 of the whole file, in lower-case hexadecimal. Reads every byte. */
    public String checksum() {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
        for (long at = 0; at < content.byteSize(); at += DIGEST_CHUNK) {
            long count = Math.min(DIGEST_CHUNK, content.byteSize() - at);
            MemorySegment chunk = content.asSlice(at, count);
            digest.update(chunk.asByteBuffer());
            chunk.unload();
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    /** Unmaps the file. Tensors and segments of it are invalid from here on. */
    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }

    private TensorInfo info(String name) {
        TensorInfo info = tensors.get(name);
        if (info == null) {
            throw new UserError(
                    path + " has no tensor " + Text.quote(name) + "; is it the right checkpoint?");
        }
        return info;
    }
}
