package org.espalier.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.UserError;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Writes a changed checkpoint: same shards, same names, same side files. Tensors that are not written are copied from
 * the source byte for byte. The folder appears under its final name only with {@link #commit}, whole, or never. Tensors
 * may be written in any order and from many threads; declare new ones before the first write.
 */
public final class CheckpointWriter implements AutoCloseable {
    private final Checkpoint source;
    private final OutputFolder folder;
    private final @Nullable DType dtype;
    private final Map<String, Map<String, TensorSpec>> plan = new LinkedHashMap<>();
    private final Map<String, String> shardOf = new LinkedHashMap<>();
    private final Map<String, SafetensorsWriter> writers = new LinkedHashMap<>();
    private ObjectNode config;
    private boolean sealed;

    private CheckpointWriter(Checkpoint source, OutputFolder folder, @Nullable DType dtype) {
        this.source = source;
        this.folder = folder;
        this.dtype = dtype;
        this.config = source.config();
        source.shards()
                .forEach((shard, file) ->
                        file.tensors().values().forEach(info -> plan(shard, info)));
    }

    /**
     * Starts a checkpoint.
     *
     * @param source the checkpoint to change; must stay open until this writer is closed
     * @param out the folder to make; may exist when it is empty, must not lie within the source
     * @param dtype float32, float16 or bfloat16 for all weights that have one of these types now; null keeps each
     *     tensor's own
     */
    public static CheckpointWriter create(Checkpoint source, Path out, @Nullable DType dtype) {
        if (dtype != null && !dtype.isConvertible()) {
            throw new UserError(
                    "a checkpoint cannot be written as "
                            + dtype
                            + "; use float32, float16 or bfloat16");
        }
        if (source.shards().isEmpty()) {
            throw new UserError(
                    source.folder()
                            + " is no Hugging Face folder and cannot be the source of a checkpoint; use the folder that"
                            + " it was made of");
        }
        OutputFolder folder = OutputFolder.create(source.folder(), out);
        boolean created = false;
        try {
            SideFiles.copy(source.folder(), folder);
            CheckpointWriter writer = new CheckpointWriter(source, folder, dtype);
            writer.nameDtype();
            created = true;
            return writer;
        } finally {
            if (!created) {
                folder.close();
            }
        }
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
        if (shardOf.containsKey(name)) {
            throw new IllegalArgumentException(name + " exists already");
        }
        String layer = name.substring(0, name.lastIndexOf('.') + 1);
        String shard =
                shardOf.keySet().stream()
                        .filter(other -> !layer.isEmpty() && other.startsWith(layer))
                        .findFirst()
                        .map(shardOf::get)
                        .orElseGet(() -> List.copyOf(plan.keySet()).getLast());
        List<Long> dimensions = Arrays.stream(shape).boxed().toList();
        add(shard, new TensorSpec(name, type, dimensions));
    }

    /**
     * Writes a tensor, converted from whatever floating dtype it has to the one planned for its name. A finite value
     * beyond that dtype's range is a {@link UserError}.
     */
    public void write(String name, Tensor tensor) {
        writer(name).write(name, tensor);
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
        if (name.equals(Checkpoint.CONFIG) || WeightFiles.isWeights(name)) {
            throw new IllegalArgumentException(name + " is written by the checkpoint itself");
        }
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
        for (String name : shardOf.keySet()) {
            if (!writer(name).isWritten(name) && source.contains(name)) {
                copy(name);
            }
        }
        writers.values().forEach(SafetensorsWriter::commit);
        ObjectNode index = source.index();
        if (index != null) {
            writeJson(Shards.INDEX, recount(index), source.index());
        }
        writeJson(Checkpoint.CONFIG, config, source.config());
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

    /** Removes everything that was written, unless it was committed. */
    @Override
    public void close() {
        try {
            writers.values().forEach(SafetensorsWriter::close);
        } finally {
            folder.close();
        }
    }

    private void plan(String shard, TensorInfo info) {
        DType type = dtype != null && info.dtype().isConvertible() ? dtype : info.dtype();
        add(shard, new TensorSpec(info.name(), type, info.shape()));
    }

    private void add(String shard, TensorSpec spec) {
        plan.computeIfAbsent(shard, key -> new LinkedHashMap<>()).put(spec.name(), spec);
        shardOf.put(spec.name(), shard);
    }

    private TensorSpec spec(String name) {
        String shard = shardOf.get(name);
        TensorSpec spec = shard == null ? null : plan.getOrDefault(shard, Map.of()).get(name);
        if (spec == null) {
            throw new IllegalArgumentException(
                    name + " is not in " + source.folder() + " and was not declared");
        }
        return spec;
    }

    private SafetensorsWriter writer(String name) {
        spec(name);
        begin();
        SafetensorsWriter writer = writers.get(shardOf.get(name));
        if (writer == null) {
            throw new IllegalStateException("no writer for " + name);
        }
        return writer;
    }

    private synchronized void begin() {
        if (!writers.isEmpty()) {
            return;
        }
        plan.forEach((shard, specs) ->
                writers.put(
                        shard,
                        SafetensorsWriter.create(
                                folder.resolve(shard), specs.values(), metadata(shard))));
    }

    private Map<String, String> metadata(String shard) {
        SafetensorsFile file = source.shards().get(shard);
        return file == null ? Map.of() : file.metadata();
    }

    private void copy(String name) {
        SafetensorsFile file = source.owner(name);
        if (source.dtype(name) == targetDtype(name)) {
            writer(name).writeBytes(name, file.segment(name));
            return;
        }
        try (PointerScope scope = new PointerScope()) {
            writer(name).write(name, file.tensor(name));
        }
    }

    /** The dtype is named {@code dtype} by transformers 5 and {@code torch_dtype} before: whichever is there changes. */
    private void nameDtype() {
        if (dtype == null) {
            return;
        }
        for (String key : List.of("dtype", "torch_dtype")) {
            if (config.has(key)) {
                config.put(key, dtype.configName());
            }
        }
    }

    private ObjectNode recount(ObjectNode index) {
        ObjectNode metadata =
                index.get("metadata") instanceof ObjectNode given
                        ? given
                        : index.putObject("metadata");
        long bytes = 0;
        long parameters = 0;
        for (Map<String, TensorSpec> specs : plan.values()) {
            for (TensorSpec spec : specs.values()) {
                bytes += spec.bytes();
                parameters += spec.elements();
            }
        }
        set(metadata, "total_size", bytes);
        if (metadata.has("total_parameters")) {
            set(metadata, "total_parameters", parameters);
        }
        if (index.get("weight_map") instanceof ObjectNode weightMap) {
            shardOf.forEach(weightMap::put);
        }
        return index;
    }

    private static void set(ObjectNode object, String key, long value) {
        JsonNode old = object.path(key);
        if (!old.isIntegralNumber() || old.asLong() != value) {
            object.put(key, value);
        }
    }

    /** A file without a change keeps its bytes, with the layout that its author gave it. */
    private void writeJson(String name, ObjectNode now, @Nullable ObjectNode before) {
        if (!now.equals(before)) {
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
