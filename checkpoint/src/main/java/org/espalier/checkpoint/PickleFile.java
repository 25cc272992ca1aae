package org.espalier.checkpoint;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.checkpoint.pickle.PickleFault;
import org.espalier.checkpoint.pickle.StoredTensor;
import org.espalier.checkpoint.pickle.TorchFile;
import org.espalier.core.UserError;
import org.espalier.core.tensor.Tensors;

/**
 * A file of {@code torch.save} such as {@code pytorch_model.bin}, mapped into memory. Its pickle is read and never
 * carried out. Tensors lie over their storages where these hold them element after element; transposed and other views
 * are copied when they are read. Safe for many threads.
 */
public final class PickleFile implements WeightFile {
    private final Path path;
    private final Arena arena;
    private final MemorySegment content;
    private final Map<String, StoredTensor> stored = new LinkedHashMap<>();
    private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();
    private final Map<String, String> twins = new LinkedHashMap<>();
    private final List<String> leftOut;

    private PickleFile(Path path, Arena arena, MemorySegment content, TorchFile file) {
        this.path = path;
        this.arena = arena;
        this.content = content;
        this.leftOut = file.leftOut().stream().map(Text::line).toList();
        Map<Long, List<StoredTensor>> byPlace = new HashMap<>();
        for (StoredTensor tensor : file.tensors()) {
            stored.put(tensor.name(), tensor);
            tensors.put(
                    tensor.name(),
                    new TensorInfo(
                            tensor.name(), dtype(tensor), tensor.shape(), 0, tensor.bytes()));
            if (tensor.elements() > 0) {
                findTwin(tensor, byPlace.computeIfAbsent(tensor.begin(), at -> new ArrayList<>(1)));
            }
        }
    }

    private void findTwin(StoredTensor tensor, List<StoredTensor> others) {
        for (StoredTensor other : others) {
            if (tensor.isSameAs(other)) {
                twins.put(tensor.name(), other.name());
                return;
            }
        }
        others.add(tensor);
    }

    /** Maps and checks a file. Whatever is wrong with it, or it wants beside tensors, is a {@link UserError}. */
    public static PickleFile open(Path path) {
        if (!Files.isRegularFile(path)) {
            throw new UserError(
                    (Files.exists(path) ? path + " is not a file" : "there is no file " + path)
                            + "; give the path of a file of torch.save");
        }
        Impostor.refuse(path);
        Arena arena = Arena.ofShared();
        boolean opened = false;
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            MemorySegment content =
                    channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            TorchFile read = TorchFile.read(content, Runtime.getRuntime().maxMemory());
            PickleFile file = new PickleFile(path, arena, content, read);
            opened = true;
            return file;
        } catch (PickleFault e) {
            throw new UserError(path + " " + e.before() + Text.line(e.foreign()) + e.after(), e);
        } catch (IOException e) {
            throw IoFailure.reading(path, e);
        } finally {
            if (!opened) {
                arena.close();
            }
        }
    }

    @Override
    public Path path() {
        return path;
    }

    @Override
    public Map<String, TensorInfo> tensors() {
        return Collections.unmodifiableMap(tensors);
    }

    /** Says what every writer of PyTorch weights says: that these are PyTorch's. */
    @Override
    public Map<String, String> metadata() {
        return Map.of("format", "pt");
    }

    @Override
    public MemorySegment segment(String name) {
        StoredTensor tensor = stored(name);
        return content.asSlice(tensor.begin(), tensor.bytes());
    }

    @Override
    public Tensor tensor(String name) {
        StoredTensor tensor = stored(name);
        ScalarType type = dtype(tensor).scalarType().orElseThrow();
        long[] shape = numbers(tensor.shape());
        if (tensor.elements() == 0) {
            return torch.empty(shape, Tensors.options(type), null);
        }
        MemorySegment data = content.asSlice(tensor.begin(), tensor.span());
        if (!isConverted(name)) {
            return Tensors.over(data, type, shape);
        }
        return Tensors.scoped(() -> {
            long elements = tensor.span() / tensor.type().bytes();
            Tensor flat = torch.empty(new long[] {elements}, Tensors.options(type), null);
            Tensors.segment(flat).copyFrom(data);
            data.unload();
            return flat.as_strided(shape, numbers(tensor.strides())).contiguous();
        });
    }

    /** Views that skip elements are converted, and so is data that does not lie on a multiple of its element size. */
    @Override
    public boolean isConverted(String name) {
        StoredTensor tensor = stored(name);
        long address = content.address() + tensor.begin();
        return !tensor.isContiguous() || address % tensor.type().bytes() != 0;
    }

    @Override
    public void unload(String name) {
        StoredTensor tensor = stored(name);
        content.asSlice(tensor.begin(), tensor.span()).unload();
    }

    @Override
    public Map<String, String> twins() {
        return Collections.unmodifiableMap(twins);
    }

    @Override
    public List<String> leftOut() {
        return leftOut;
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }

    /** The constants of both have the same names. */
    private static DType dtype(StoredTensor tensor) {
        return DType.valueOf(tensor.type().name());
    }

    private static long[] numbers(List<Long> numbers) {
        return numbers.stream().mapToLong(Long::longValue).toArray();
    }

    private StoredTensor stored(String name) {
        StoredTensor tensor = stored.get(name);
        if (tensor == null) {
            throw new UserError(
                    path + " has no tensor " + Text.quote(name) + "; is it the right checkpoint?");
        }
        return tensor;
    }
}
