package org.espalier.checkpoint.gguf;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.checkpoint.IoFailure;
import org.espalier.checkpoint.Text;
import org.espalier.core.UserError;
import org.espalier.core.tensor.Tensors;
import org.jspecify.annotations.Nullable;

/**
 * A GGUF file of version 2 or 3, mapped into memory and checked as a whole before anything is handed out. Files larger
 * than 2 GiB are fine. Safe for many threads.
 */
public final class GgufFile implements AutoCloseable {
    private final Path path;
    private final Arena arena;
    private final MemorySegment content;
    private final GgufHeader header;

    private GgufFile(Path path, Arena arena, MemorySegment content, GgufHeader header) {
        this.path = path;
        this.arena = arena;
        this.content = content;
        this.header = header;
    }

    /** Whether a path is meant as a GGUF file: an existing file, or the name of one, that ends in {@code .gguf}. */
    public static boolean isNamed(Path path) {
        return !Files.isDirectory(path)
                && path.toString().toLowerCase(Locale.ROOT).endsWith(".gguf");
    }

    /** Maps and checks a file. Whatever is wrong with it is a {@link UserError} that names the file and the place. */
    public static GgufFile open(Path path) {
        if (!Files.isRegularFile(path)) {
            throw new UserError(
                    (Files.exists(path) ? path + " is not a file" : "there is no file " + path)
                            + "; give the path of a .gguf file");
        }
        Arena arena = Arena.ofShared();
        boolean opened = false;
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            MemorySegment content =
                    channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            GgufFile file =
                    new GgufFile(path, arena, content, GgufHeaderReader.read(path, content));
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
    public Path path() {
        return path;
    }

    /** The version of the container, 2 or 3. */
    public int version() {
        return header.version();
    }

    /** The metadata by key, in the order of the file. */
    public Map<String, GgufValue> metadata() {
        return header.metadata();
    }

    /** The tensors by name, in the order of the file. */
    public Map<String, GgufTensor> tensors() {
        return header.tensors();
    }

    /** The bytes of a tensor, read-only, shared with the mapping: valid until this file is closed. */
    public MemorySegment segment(String name) {
        GgufTensor info = info(name);
        return content.asSlice(info.begin(), info.bytes());
    }

    /**
     * A tensor in PyTorch's shape. F32, F16 and BF16 keep their type and lie over the mapped bytes, without a copy where
     * the data is aligned: <em>never write to them</em>. Quantized types become float32 in memory of their own. The
     * result belongs to the innermost scope of the caller and must not be used after this file is closed.
     *
     * @throws UserError for a type that cannot be read
     */
    public Tensor tensor(String name) {
        GgufTensor info = info(name);
        return tensor(info, segment(name), info.shape());
    }

    /** As {@link #tensor}, one entry of the slowest axis of a tensor with two axes or more. */
    public Tensor slice(String name, long index) {
        GgufTensor info = info(name);
        List<Long> shape = info.shape();
        long bytes = info.bytes() / shape.getFirst();
        MemorySegment data = segment(name).asSlice(index * bytes, bytes);
        return tensor(info, data, shape.subList(1, shape.size()));
    }

    private Tensor tensor(GgufTensor info, MemorySegment data, List<Long> dimensions) {
        if (!info.type().isReadable()) {
            throw new UserError(
                    "tensor "
                            + Text.quote(info.name())
                            + " in "
                            + path
                            + " is "
                            + info.type()
                            + ", which cannot be read; convert the model to F16, BF16, Q8_0, Q4_0, Q4_K or Q6_K");
        }
        long[] shape = dimensions.stream().mapToLong(Long::longValue).toArray();
        @Nullable ScalarType plain = plain(info.type());
        if (plain == null) {
            Tensor floats = torch.empty(shape, Tensors.options(ScalarType.Float), null);
            Dequantizer.dequantize(info.type(), data, Tensors.segment(floats));
            return floats;
        }
        if (data.address() % info.type().blockBytes() == 0) {
            return Tensors.over(data, plain, shape);
        }
        Tensor copy = torch.empty(shape, Tensors.options(plain), null);
        Tensors.segment(copy).copyFrom(data);
        return copy;
    }

    /** libtorch's type with the same layout; null for quantized types. */
    private static @Nullable ScalarType plain(GgufType type) {
        return switch (type) {
            case F32 -> ScalarType.Float;
            case F16 -> ScalarType.Half;
            case BF16 -> ScalarType.BFloat16;
            default -> null;
        };
    }

    private GgufTensor info(String name) {
        GgufTensor info = tensors().get(name);
        if (info == null) {
            throw new UserError(
                    path + " has no tensor " + Text.quote(name) + "; is it the right model?");
        }
        return info;
    }

    /** Unmaps the file. Tensors and segments of it are invalid from here on. */
    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
