package org.espalier.checkpoint;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** Which tensors a checkpoint will have, in which file and dtype. */
final class ShardPlan {
    private final Map<String, Map<String, TensorSpec>> shards = new LinkedHashMap<>();
    private final Map<String, String> shardOf = new LinkedHashMap<>();

    /**
     * The tensors of a checkpoint in their files.
     *
     * @param dtype the dtype of all weights that are float64, float32, float16 or bfloat16 now; null keeps each tensor's own
     */
    ShardPlan(Checkpoint source, @Nullable DType dtype) {
        if (source.source() != null || source.isPacked()) {
            // Another format has no shards whose borders could be kept.
            source.tensors().values().forEach(info -> add(Shards.SINGLE, info, dtype));
            return;
        }
        source.shards()
                .forEach((shard, file) ->
                        file.tensors().keySet().stream()
                                .filter(name -> owns(file, name, source))
                                .map(source.tensors()::get)
                                .forEach(info -> add(WeightLayout.written(shard), info, dtype)));
    }

    /** Of two shards with the same tensor only one counts. */
    private static boolean owns(WeightFile file, String name, Checkpoint source) {
        return source.contains(name) && file.equals(source.owner(name));
    }

    private void add(String shard, TensorInfo info, @Nullable DType dtype) {
        DType type = dtype != null && info.dtype().isPlain() ? dtype : info.dtype();
        add(shard, new TensorSpec(info.name(), type, info.shape()));
    }

    /** Adds a tensor to the shard of its siblings, the tensors of the same layer, or else to the last one. */
    void declare(String name, DType type, long... shape) {
        if (contains(name)) {
            throw new IllegalArgumentException(name + " exists already");
        }
        String layer = name.substring(0, name.lastIndexOf('.') + 1);
        String shard =
                shardOf.keySet().stream()
                        .filter(other -> !layer.isEmpty() && other.startsWith(layer))
                        .findFirst()
                        .map(shardOf::get)
                        .orElseGet(() -> List.copyOf(shards.keySet()).getLast());
        add(shard, new TensorSpec(name, type, Arrays.stream(shape).boxed().toList()));
    }

    /** Names of the files. */
    Set<String> files() {
        return shards.keySet();
    }

    /** Names of all tensors. */
    Set<String> tensors() {
        return shardOf.keySet();
    }

    /** Takes a tensor out. */
    void omit(String name) {
        String shard = shardOf.remove(name);
        if (shard != null) {
            shards.getOrDefault(shard, Map.of()).remove(name);
        }
    }

    boolean contains(String name) {
        return shardOf.containsKey(name);
    }

    /** The tensors of a file. */
    List<TensorSpec> specs(String shard) {
        return List.copyOf(shards.getOrDefault(shard, Map.of()).values());
    }

    /** The file of a tensor; null where there is no such tensor. */
    @Nullable String shard(String name) {
        return shardOf.get(name);
    }

    /** A tensor; null where there is no such. */
    @Nullable TensorSpec spec(String name) {
        String shard = shardOf.get(name);
        return shard == null ? null : shards.getOrDefault(shard, Map.of()).get(name);
    }

    /** Brings the index of the source up to date, in place. */
    ObjectNode recount(ObjectNode index) {
        ObjectNode metadata =
                index.get("metadata") instanceof ObjectNode given
                        ? given
                        : index.putObject("metadata");
        long bytes = 0;
        long parameters = 0;
        for (Map<String, TensorSpec> specs : shards.values()) {
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
            // What the source's index named without having it is not named again.
            weightMap.retain(shardOf.keySet());
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

    private void add(String shard, TensorSpec spec) {
        shards.computeIfAbsent(shard, key -> new LinkedHashMap<>()).put(spec.name(), spec);
        shardOf.put(spec.name(), shard);
    }
}
