package org.espalier.checkpoint;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.UserError;
import org.espalier.core.tensor.Tensors;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/**
 * A Hugging Face model folder, open for reading: {@code config.json}, weights in one file or several,
 * safetensors or PyTorch's, and perhaps a tokenizer. Headers are read and checked at once; weights stay on the disk, mapped. Safe for many threads.
 */
public final class Checkpoint implements AutoCloseable {
    private final Path folder;
    private final WeightView view;
    private final Shards shards;
    private final @Nullable CheckpointSource source;
    private final Map<String, Tensor> opened = new HashMap<>();
    private @Nullable Tokenizer tokenizer;
    private boolean closed;

    private Checkpoint(
            Path folder, WeightView view, Shards shards, @Nullable CheckpointSource source) {
        this.folder = folder;
        this.view = view;
        this.shards = shards;
        this.source = source;
    }

    /**
     * A model file of another format, seen as a checkpoint: it can be inspected and run, and has no {@link #shards}. The
     * result owns the source and closes it. Tensors that had to be converted stay in memory until they are unloaded.
     */
    public static Checkpoint of(CheckpointSource source) {
        WeightView view =
                new WeightView(null, source.tensors(), source.config(), null, false, List.of());
        return new Checkpoint(source.path(), view, Shards.NONE, source);
    }

    /**
     * Opens a folder, or of a root in the hub's cache the snapshot. Whatever is missing or wrong is a {@link UserError}
     * that says what is expected. Weights that are codes can be listed here; see {@link #requireNumbers}.
     */
    public static Checkpoint open(Path path) {
        ModelFolder found = ModelFolder.of(path);
        ObjectNode config = Json.readObject(found.resolve(ModelFolder.CONFIG));
        Shards shards = Shards.open(found.path());
        boolean opened = false;
        try {
            WeightView view = WeightView.of(found, config, shards);
            if (view.tensors().isEmpty()) {
                throw new UserError(
                        found.path() + " has no tensors in its weights; get the checkpoint again");
            }
            opened = true;
            return new Checkpoint(found.path(), view, shards, null);
        } finally {
            if (!opened) {
                shards.close();
            }
        }
    }

    /** The folder that was opened, of a root in the hub's cache its snapshot; of another format, the file. */
    public Path folder() {
        return folder;
    }

    /**
     * A copy of {@code config.json}, keys in the order of the file, without what it says of a quantization that the
     * tensors do not have.
     */
    public ObjectNode config() {
        return view.config().deepCopy();
    }

    /** A {@link UserError} that names the format where weights are codes that cannot be read as numbers. */
    public void requireNumbers() {
        if (view.codes() != null) {
            throw new UserError(
                    folder
                            + " holds codes and not weights ("
                            + view.codes()
                            + "), which cannot be computed with; give the same model unquantized, in bfloat16,"
                            + " float16 or float32");
        }
    }

    /** Whether config.json and side files speak of a quantization that the tensors do not have. */
    boolean isUnquantized() {
        return view.unquantized();
    }

    /** All tensors by name, shard after shard in the order of their data. Offsets count within the shard. */
    public Map<String, TensorInfo> tensors() {
        return view.tensors();
    }

    /**
     * Tensors that are the same data as another one in the same file, each with the name of that: PyTorch stores tied
     * weights once and names them twice.
     */
    public Map<String, String> twins() {
        Map<String, String> twins = new TreeMap<>();
        shards.files().values().forEach(file -> twins.putAll(file.twins()));
        return twins;
    }

    /** The other names of the data that a tensor names. */
    public Set<String> otherNames(String name) {
        Map<String, String> twins = twins();
        String first = twins.getOrDefault(name, name);
        Set<String> names = new TreeSet<>(Set.of(first));
        twins.forEach((twin, of) -> {
            if (of.equals(first)) {
                names.add(twin);
            }
        });
        names.remove(name);
        return names;
    }

    /** Number of elements of all tensors, {@link #twins} counted once. */
    public long parameters() {
        Set<String> twins = twins().keySet();
        return view.tensors().values().stream()
                .filter(tensor -> !twins.contains(tensor.name()))
                .mapToLong(TensorInfo::elements)
                .sum();
    }

    /** Whether there is a tensor of this name. */
    public boolean contains(String name) {
        return view.tensors().containsKey(name);
    }

    /** Shape of a tensor; a missing name is a {@link UserError}. */
    public long[] shape(String name) {
        return info(name).dimensions();
    }

    /** Element type of a tensor; a missing name is a {@link UserError}. */
    public DType dtype(String name) {
        return info(name).dtype();
    }

    /**
     * The tensor of this name in the checkpoint's dtype, over the mapped file. It belongs to the checkpoint, outlives
     * the caller's scopes and stays valid until {@link #close}. A tensor that has to be converted is made at the first
     * use and handed out in the innermost scope of the caller. <em>Never write to it</em>: the pages are read-only.
     */
    public synchronized Tensor tensor(String name) {
        if (closed) {
            throw new IllegalStateException("checkpoint " + folder + " is closed");
        }
        Tensor tensor =
                opened.computeIfAbsent(
                        name,
                        key -> {
                            try (PointerScope scope = new PointerScope()) {
                                return Tensors.own(read(key));
                            }
                        });
        return isConverted(name) ? new Tensor(tensor) : tensor;
    }

    /**
     * Gives the memory of a tensor back to the system until it is read again: that of its mapped pages, or of what it
     * was converted to, as soon as nobody has a handle of it any more. Tensors that were handed out stay valid. A no-op
     * after {@link #close}.
     */
    public synchronized void unload(String name) {
        if (closed) {
            return;
        }
        if (!isConverted(name)) {
            owner(name).unload(name);
            return;
        }
        Tensor converted = opened.remove(name);
        if (converted != null) {
            converted.close();
        }
    }

    /** A tensor in the innermost scope of the caller, made anew where it has to be converted; never write to it. */
    Tensor read(String name) {
        PackedTensors packed = view.packed();
        if (source != null) {
            return source.tensor(name);
        }
        return packed != null && packed.isPacked(name)
                ? packed.expand(name)
                : owner(name).tensor(name);
    }

    /** The bytes of a tensor as it is stored in full; they last as long as the innermost scope of the caller. */
    MemorySegment bytes(String name) {
        return isConverted(name)
                ? Tensors.segment(read(name).contiguous())
                : owner(name).segment(name);
    }

    /** Whether a tensor does not lie in the file as it is handed out. */
    boolean isConverted(String name) {
        PackedTensors packed = view.packed();
        if (source != null || (packed != null && packed.isPacked(name))) {
            return true;
        }
        WeightFile file = shards.owners().get(name);
        return file != null && file.isConverted(name);
    }

    /** Whether matrices are stored as masks and values. */
    boolean isPacked() {
        return view.packed() instanceof BitmaskFile;
    }

    /** The weight files by file name, in name order. Of a packed file these are masks and values too. */
    public Map<String, WeightFile> shards() {
        return shards.files();
    }

    /** The floating dtype that most bytes are stored in; a checkpoint without any is a {@link UserError}. */
    public DType dominantDtype() {
        Map<DType, Long> bytes = new TreeMap<>();
        view.tensors().values().stream()
                .filter(tensor -> tensor.dtype().isFloating())
                .forEach(tensor -> bytes.merge(tensor.dtype(), tensor.bytes(), Long::sum));
        return bytes.entrySet().stream()
                .max(Map.Entry.comparingByValue())
                .map(Map.Entry::getKey)
                .orElseThrow(() ->
                        new UserError(
                                folder
                                        + " has no floating-point tensor; give a checkpoint that is not"
                                        + " quantized"));
    }

    /** The tokenizer, opened on first use; a folder without one is a {@link UserError}. */
    public synchronized Tokenizer tokenizer() {
        if (closed) {
            throw new IllegalStateException("checkpoint " + folder + " is closed");
        }
        if (tokenizer == null) {
            tokenizer = source == null ? Tokenizer.fromFolder(folder) : source.tokenizer();
        }
        return tokenizer;
    }

    /** Bytes of the tensors by the name of the type that they are stored in, such as BF16 or Q4_K. */
    public Map<String, Long> bytesByType() {
        if (source != null) {
            return source.bytesByType();
        }
        PackedTensors packed = view.packed();
        if (packed != null) {
            return packed.bytesByType();
        }
        Map<String, Long> bytes = new TreeMap<>();
        Set<String> twins = twins().keySet();
        view.tensors().values().stream()
                .filter(tensor -> !twins.contains(tensor.name()))
                .forEach(tensor -> bytes.merge(tensor.dtype().name(), tensor.bytes(), Long::sum));
        return bytes;
    }

    /** What was odd about the files without being wrong, a sentence each. */
    public List<String> notes() {
        return view.notes();
    }

    /**
     * What lies in the folder and is neither read nor copied to what is written, as paths below it; folders end in a
     * slash. Of other formats what a folder has no place for.
     */
    public List<String> leftOut() {
        return SideFiles.leftOut(this);
    }

    /** Of {@link #leftOut} the weight files. */
    public List<String> otherWeights() {
        return SideFiles.otherWeights(this);
    }

    /** The paths of the files that hold the weights. */
    public List<Path> weightFiles() {
        return source != null
                ? source.weightFiles()
                : shards.files().values().stream().map(WeightFile::path).toList();
    }

    /** The other format that this is seen through; null for a folder of safetensors. */
    @Nullable CheckpointSource source() {
        return source;
    }

    /** The bytes of a file beside the weights; null where there is none. */
    public byte @Nullable [] sideFile(String name) {
        if (source != null) {
            return source.sideFiles().get(name);
        }
        return new ModelFolder(folder).bytes(name);
    }

    /** Whether the folder, or a file of another format, has a tokenizer. */
    public boolean hasTokenizer() {
        return tokenizerForm() != null;
    }

    /** The file or files that the tokenizer is read from; null where there is none. */
    public @Nullable String tokenizerForm() {
        if (source != null) {
            return source.hasTokenizer() ? String.valueOf(folder.getFileName()) : null;
        }
        return TokenizerForm.nameIn(folder);
    }

    /** What {@link Tokenizer#notes} says, where the tokenizer has been opened. */
    public synchronized List<String> tokenizerNotes() {
        return tokenizer == null ? List.of() : tokenizer.notes();
    }

    /**
     * The regular files directly in the folder, or of another format those of the weights, by name, with their sizes in
     * bytes.
     */
    public Map<String, Long> files() {
        if (source == null) {
            return new ModelFolder(folder).files();
        }
        Map<String, Long> files = new TreeMap<>();
        try {
            for (Path file : source.weightFiles()) {
                files.put(String.valueOf(file.getFileName()), Files.size(file));
            }
        } catch (IOException e) {
            throw IoFailure.reading(folder, e);
        }
        return files;
    }

    /** Frees every tensor that was handed out and unmaps the files. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        opened.values().forEach(Tensor::close);
        opened.clear();
        if (tokenizer != null) {
            tokenizer.close();
        }
        shards.close();
        if (source != null) {
            source.close();
        }
    }

    /** The index of a sharded checkpoint as read, or null where there is one file. */
    @Nullable ObjectNode index() {
        ObjectNode index = shards.index();
        return index == null ? null : index.deepCopy();
    }

    /** The name of the index's file, where there is one. */
    String indexName() {
        return shards.indexName();
    }

    /** The shard that holds a tensor. */
    WeightFile owner(String name) {
        WeightFile file = shards.owners().get(name);
        if (file == null) {
            throw missing(name);
        }
        return file;
    }

    private TensorInfo info(String name) {
        TensorInfo info = view.tensors().get(name);
        if (info == null) {
            throw missing(name);
        }
        return info;
    }

    private UserError missing(String name) {
        return new UserError(
                "checkpoint "
                        + folder
                        + " has no tensor "
                        + Text.quote(name)
                        + "; its weights do not fit its config.json");
    }
}
