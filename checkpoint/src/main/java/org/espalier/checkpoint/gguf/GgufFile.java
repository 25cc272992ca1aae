package org.espalier.checkpoint.gguf;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.checkpoint.IoFailure;
import org.espalier.checkpoint.Text;
import org.espalier.core.UserError;
import org.espalier.core.tensor.Tensors;
import org.jspecify.annotations.Nullable;

/**
 * A GGUF file of version 2 or 3, mapped into memory and checked as a whole before anything is handed out; or all files of
 * a model that was split, as one. Files larger than 2 GiB are fine. Safe for many threads.
 */
public final class GgufFile implements AutoCloseable {
    /** Also pieces that were cut without regard to what is in them, before there were split models. */
    private static final Pattern NAME =
            Pattern.compile("(?i).*\\.gguf([.-](split-?|part-?)[0-9a-z]{1,12})?");

    private final Path path;
    private final List<GgufPart> parts;
    private final Map<String, GgufTensor> tensors = new LinkedHashMap<>();
    private final Map<String, GgufPart> owners = new HashMap<>();

    private GgufFile(Path path, List<GgufPart> parts) {
        this.path = path;
        this.parts = parts;
        for (GgufPart part : parts) {
            tensors.putAll(part.header().tensors());
            part.header().tensors().keySet().forEach(name -> owners.put(name, part));
        }
    }

    /**
     * Whether a path is meant as a GGUF file: the name of a file, there or not, that ends in {@code .gguf}, or a file that
     * begins as they do.
     */
    public static boolean isNamed(Path path) {
        if (Files.isDirectory(path)) {
            return false;
        }
        if (NAME.matcher(String.valueOf(path.getFileName())).matches()) {
            return true;
        }
        if (!Files.isRegularFile(path)) {
            return false;
        }
        try (InputStream in = Files.newInputStream(path)) {
            return Arrays.equals(in.readNBytes(4), GgufHeaderReader.MAGIC);
        } catch (IOException e) {
            throw IoFailure.reading(path, e);
        }
    }

    /**
     * Maps and checks a file, and the other parts of its model if it is one of several. Whatever is wrong is a {@link
     * UserError} that names the file and the place.
     */
    public static GgufFile open(Path path) {
        GgufPart given = GgufPart.open(path);
        boolean opened = false;
        try {
            GgufFile file = new GgufFile(path, GgufSplit.complete(given));
            opened = true;
            return file;
        } finally {
            if (!opened) {
                given.close();
            }
        }
    }

    /** The path that was opened. */
    public Path path() {
        return path;
    }

    /** The path that was opened, or those of all parts in their order. */
    public List<Path> paths() {
        return parts.stream().map(GgufPart::path).toList();
    }

    /** The version of the container, 2 or 3. */
    public int version() {
        return parts.getFirst().header().version();
    }

    /** The metadata by key, in the order of the file; of several parts those of the first. */
    public Map<String, GgufValue> metadata() {
        return parts.getFirst().header().metadata();
    }

    /** The tensors by name, in the order of the files. */
    public Map<String, GgufTensor> tensors() {
        return Collections.unmodifiableMap(tensors);
    }

    /** The bytes of a tensor, read-only, shared with the mapping: valid until this file is closed. */
    public MemorySegment segment(String name) {
        GgufTensor info = info(name);
        return part(name).segment(info);
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
        requireReadable(info);
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

    /** Refuses a tensor whose type has no values here. */
    void requireReadable(GgufTensor info) {
        if (!info.type().isReadable()) {
            throw new UserError(
                    "tensor "
                            + Text.quote(info.name())
                            + " in "
                            + path
                            + " is "
                            + info.typeName()
                            + ", which can be listed but not computed; get the model as Q8_0, Q6_K, Q5_K, Q4_K, Q3_K,"
                            + " Q2_K or F16");
        }
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
        GgufTensor info = tensors.get(name);
        if (info == null) {
            throw missing(name);
        }
        return info;
    }

    private GgufPart part(String name) {
        GgufPart part = owners.get(name);
        if (part == null) {
            throw missing(name);
        }
        return part;
    }

    private UserError missing(String name) {
        return new UserError(
                path + " has no tensor " + Text.quote(name) + "; is it the right model?");
    }

    /** Unmaps the file. Tensors and segments of it are invalid from here on. */
    @Override
    public void close() {
        parts.forEach(GgufPart::close);
    }
}
