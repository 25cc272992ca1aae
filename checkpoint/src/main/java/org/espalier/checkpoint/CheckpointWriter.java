package org.espalier.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.UserError;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/**
 * Writes a changed checkpoint: same shards (safetensors in place of PyTorch's), same names, same side files. Tensors that are not written are copied from
 * the source byte for byte. Of another format, it becomes a Hugging Face folder of one file, quantized tensors in float32. The folder appears under its final name only with {@link #commit}, whole, or never. Tensors
 * may be written in any order and from many threads; declare new ones before the first write.
 */
public final class CheckpointWriter implements AutoCloseable {
    private final Checkpoint source;
    private final OutputFolder folder;
    private final ShardPlan plan;
    private final Map<String, SafetensorsWriter> writers = new LinkedHashMap<>();
    private ObjectNode config;
    private boolean sealed;

    private CheckpointWriter(Checkpoint source, OutputFolder folder, @Nullable DType dtype) {
        this.source = source;
        this.folder = folder;
        this.plan = new ShardPlan(source, dtype);
        this.config = namedConfig(source);
        nameDtype(dtype);
    }

    /**
     * Starts a checkpoint anew: what a dead run has left under this name is removed.
     *
     * @param source the checkpoint to change; must stay open until this writer is closed
     * @param out the folder to make; may exist when it is empty, must not lie within the source
     * @param dtype float32, float16 or bfloat16 for all weights that have one of these types or float64 now; null keeps each
     *     tensor's own
     */
    public static CheckpointWriter create(Checkpoint source, Path out, @Nullable DType dtype) {
        CheckpointWriter writer = open(source, out, dtype);
        boolean created = false;
        try {
            writer.discard();
            created = true;
            return writer;
        } finally {
            if (!created) {
                writer.close();
            }
        }
    }

    /**
     * Starts a checkpoint like {@link #create}, or takes up what a dead run has left of it. Of that, a tensor counts only
     * once it is {@link #restore restored}. Until {@link #discard}, closing keeps what was found.
     */
    public static CheckpointWriter open(Checkpoint source, Path out, @Nullable DType dtype) {
        if (dtype != null && !dtype.isConvertible()) {
            throw new UserError(
                    "a checkpoint cannot be written as "
                            + dtype
                            + "; use float32, float16 or bfloat16");
        }
        SideFiles.check(source);
        OutputFolder folder = OutputFolder.open(source.folder(), out);
        return new CheckpointWriter(source, folder, dtype);
    }

    /** Where a run keeps a note of its own until the checkpoint is there; it is removed with the work folder. */
    public Path note(String name) {
        return folder.note(name);
    }

    /** Removes what a dead run has left, notes included; nothing may have been written yet. */
    public void discard() {
        if (!writers.isEmpty()) {
            throw new IllegalStateException("discard before the first tensor is written");
        }
        folder.clear();
    }

    /** From here on closing without commit leaves what was written, for a later run to take up. */
    public void keep() {
        folder.keep();
    }

    /** Bytes of all tensors that will be stored. */
    public long bytes() {
        return plan.tensors().stream().mapToLong(name -> spec(name).bytes()).sum();
    }

    /** The dtype in which a tensor will be stored. */
    public DType targetDtype(String name) {
        return spec(name).dtype();
    }

    /**
     * Adds a tensor that the source does not have; it goes to the shard of its siblings (the weight of the same layer).
     * It must then be written.
     */
    public synchronized void declare(String name, DType type, long... shape) {
        if (!writers.isEmpty()) {
            throw new IllegalStateException(
                    "declare " + name + " before the first tensor is written");
        }
        plan.declare(name, type, shape);
    }

    /** Leaves out a tensor of the source that is another one under a second name. */
    public synchronized void omit(String name) {
        if (!writers.isEmpty()) {
            throw new IllegalStateException("omit " + name + " before the first tensor is written");
        }
        plan.omit(name);
    }

    /**
     * Writes a tensor, converted from whatever floating dtype it has to the one planned for its name. A finite value
     * beyond that dtype's range is a {@link UserError}.
     */
    public void write(String name, Tensor tensor) {
        writer(name).write(name, tensor);
    }

    /** CRC-32C of the stored bytes of a tensor that was written, eight hexadecimal digits. */
    public String checksum(String name) {
        return writer(name).checksum(name);
    }

    /**
     * Counts a tensor as written if a dead run has left it whole.
     *
     * @param checksum what {@link #checksum} gave there
     * @return whether its bytes have that checksum
     */
    public boolean restore(String name, String checksum) {
        return writer(name).restore(name, checksum);
    }

    /** Reads back a tensor that was written, in its target dtype; it belongs to the innermost scope of the caller. */
    public Tensor stored(String name) {
        return writer(name).read(name);
    }

    /** Forces every tensor that was written to the disk, so that a power failure cannot take it. */
    public void force() {
        begin();
        writers.values().forEach(SafetensorsWriter::force);
        folder.force();
    }

    /** Changes {@code config.json}; keys keep their order. */
    public void editConfig(UnaryOperator<ObjectNode> edit) {
        config = edit.apply(config);
    }

    /** Adds a file such as the receipt, or replaces a side file. */
    public void addFile(String name, byte[] bytes) {
        if (name.isEmpty() || name.contains("/") || name.contains("\\") || name.startsWith(".")) {
            throw new IllegalArgumentException(name + " is no plain file name");
        }
        if (name.equals(ModelFolder.CONFIG) || WeightFiles.isWeights(name)) {
            throw new IllegalArgumentException(name + " is written by the checkpoint itself");
        }
        begin();
        folder.write(name, bytes);
    }

    /**
     * Copies what was not written and completes every file, but leaves the folder its hidden name, so that the result
     * can be measured before it appears. After this only {@link #addFile} and {@link #commit} make sense.
     *
     * @return where the files lie until {@link #commit}
     * @throws IllegalStateException when a declared tensor was never written
     */
    public Path seal() {
        if (sealed) {
            return folder.resolve("");
        }
        begin();
        for (String name : plan.tensors()) {
            if (!writer(name).isWritten(name) && source.contains(name)) {
                copy(name);
            }
        }
        writers.values().forEach(SafetensorsWriter::commit);
        ObjectNode index = source.index();
        if (index != null) {
            writeJson(Shards.INDEX, plan.recount(index), source.index());
        }
        writeJson(ModelFolder.CONFIG, config, source.isUnquantized() ? null : source.config());
        sealed = true;
        return folder.resolve("");
    }

    /**
     * Completes every file, if {@link #seal} has not, and gives the folder its name.
     *
     * @throws IllegalStateException when a declared tensor was never written
     */
    public void commit() {
        seal();
        folder.commit();
    }

    /** Removes everything that was written, unless it was committed or is to be kept. */
    @Override
    public void close() {
        try {
            writers.values().forEach(SafetensorsWriter::close);
        } finally {
            folder.close();
        }
    }

    private TensorSpec spec(String name) {
        TensorSpec spec = plan.spec(name);
        if (spec == null) {
            throw new IllegalArgumentException(
                    name + " is not in " + source.folder() + " and was not declared");
        }
        return spec;
    }

    private SafetensorsWriter writer(String name) {
        spec(name);
        begin();
        SafetensorsWriter writer = writers.get(plan.shard(name));
        if (writer == null) {
            throw new IllegalStateException("no writer for " + name);
        }
        return writer;
    }

    private synchronized void begin() {
        if (!writers.isEmpty()) {
            return;
        }
        folder.retain(plan.files()::contains);
        SideFiles.copy(source, folder);
        for (String shard : plan.files()) {
            writers.put(
                    shard,
                    SafetensorsWriter.inPlace(
                            folder.resolve(shard), plan.specs(shard), metadata(shard)));
        }
    }

    private Map<String, String> metadata(String shard) {
        return source.shards().entrySet().stream()
                .filter(file -> WeightLayout.written(file.getKey()).equals(shard))
                .findFirst()
                .map(file -> file.getValue().metadata())
                .orElse(Map.of());
    }

    private void copy(String name) {
        if (source.isConverted(name)) {
            try (PointerScope scope = new PointerScope()) {
                writer(name).write(name, source.read(name));
            }
            return;
        }
        WeightFile file = source.owner(name);
        if (source.dtype(name) == targetDtype(name)) {
            writer(name).writeBytes(name, file.segment(name));
        } else {
            try (PointerScope scope = new PointerScope()) {
                writer(name).write(name, file.tensor(name));
            }
        }
        file.unload(name);
    }

    /** The configuration of a checkpoint; one of another format, which has no dtype, gets that of most bytes. */
    static ObjectNode namedConfig(Checkpoint source) {
        ObjectNode config = source.config();
        if (source.source() != null && !config.has("dtype") && !config.has("torch_dtype")) {
            config.put("torch_dtype", source.dominantDtype().configName());
        }
        return config;
    }

    /** The dtype is named {@code dtype} by transformers 5 and {@code torch_dtype} before: whichever is there changes. */
    private void nameDtype(@Nullable DType dtype) {
        if (dtype == null) {
            return;
        }
        for (String key : List.of("dtype", "torch_dtype")) {
            if (config.has(key)) {
                config.put(key, dtype.configName());
            }
        }
    }

    /** A file without a change keeps its bytes, with the layout that its author gave it. */
    private void writeJson(String name, ObjectNode now, @Nullable ObjectNode before) {
        if (source.source() != null || !now.equals(before)) {
            folder.write(name, Json.pretty(now));
            return;
        }
        try {
            folder.write(name, Files.readAllBytes(source.folder().resolve(name)));
        } catch (IOException e) {
            throw IoFailure.reading(source.folder().resolve(name), e);
        }
    }
}
