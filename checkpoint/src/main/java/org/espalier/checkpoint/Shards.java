package org.espalier.checkpoint;

import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.bytedeco.javacpp.PointerScope;
import org.espalier.core.UserError;
import org.espalier.core.tensor.Tensors;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/**
 * The weight files of a Hugging Face folder: {@code model.safetensors}, or several shards, with an index or without, or
 * {@link BitmaskFile}, or the same of {@code pytorch_model.bin}. As for transformers the shards themselves say which tensors there are; an index says which shards
 * belong to the model, and where it says more than that and is wrong, that is a note.
 */
final class Shards implements AutoCloseable {
    static final String SINGLE = "model.safetensors";
    static final String INDEX = "model.safetensors.index.json";

    private @Nullable ObjectNode index;
    private String indexName = INDEX;
    private final Map<String, WeightFile> files = new LinkedHashMap<>();
    private final Map<String, WeightFile> owners = new LinkedHashMap<>();
    private final List<String> notes = new ArrayList<>();

    /** The view of files whose tensors must be made from others; null for plain files. */
    private @Nullable PackedTensors packed;

    /** No shards at all, for checkpoints of another format. */
    static final Shards NONE = new Shards();

    private Shards() {}

    static Shards open(Path folder) {
        Shards shards = new Shards();
        boolean opened = false;
        try {
            shards.addAll(folder);
            opened = true;
            return shards;
        } finally {
            if (!opened) {
                shards.close();
            }
        }
    }

    private void addAll(Path folder) {
        // Where several exist the single file wins, and safetensors before PyTorch's, as for
        // transformers.
        if (Files.isRegularFile(folder.resolve(SINGLE))) {
            add(SINGLE, SafetensorsFile.open(folder.resolve(SINGLE)));
        } else if (has(folder, WeightLayout.SAFETENSORS.index())) {
            addAll(folder, ShardIndex.read(folder, WeightLayout.SAFETENSORS));
        } else if (has(folder, BitmaskFile.NAME)) {
            packed =
                    new BitmaskFile(
                            add(
                                    BitmaskFile.NAME,
                                    SafetensorsFile.open(folder.resolve(BitmaskFile.NAME))));
        } else if (has(folder, WeightLayout.PYTORCH.single())) {
            String name = WeightLayout.PYTORCH.single();
            add(name, PickleFile.open(folder.resolve(name)));
        } else if (has(folder, WeightLayout.PYTORCH.index())) {
            addAll(folder, ShardIndex.read(folder, WeightLayout.PYTORCH));
        } else {
            addByName(folder);
        }
        noteConversion();
    }

    private void addByName(Path folder) {
        for (WeightLayout layout : WeightLayout.values()) {
            ShardIndex named = ShardIndex.ofNames(folder, layout);
            if (named != null) {
                addAll(folder, named);
                notes.add(
                        "there is no "
                                + layout.index()
                                + "; the "
                                + files.size()
                                + " shards are read by their names");
                return;
            }
        }
        throw new UserError(Diagnosis.noWeights(folder));
    }

    private static boolean has(Path folder, String name) {
        return Files.isRegularFile(folder.resolve(name));
    }

    private void noteConversion() {
        List<String> pickles =
                files.keySet().stream()
                        .filter(name -> name.endsWith(WeightLayout.PYTORCH.extension()))
                        .toList();
        if (!pickles.isEmpty()) {
            notes.add(
                    "the weights are read from "
                            + pickles.getFirst()
                            + (pickles.size() == 1 ? "" : " and " + (pickles.size() - 1) + " more")
                            + "; what is written of them is safetensors");
        }
        for (Map.Entry<String, WeightFile> file : files.entrySet()) {
            List<String> keys = file.getValue().leftOut();
            if (!keys.isEmpty()) {
                notes.add(
                        file.getKey()
                                + " also holds "
                                + String.join(", ", keys.subList(0, Math.min(6, keys.size())))
                                + (keys.size() > 6 ? " and " + (keys.size() - 6) + " more" : "")
                                + ", which are not weights of the model and are left out");
            }
        }
    }

    /** The shards by file name, in name order. */
    Map<String, WeightFile> files() {
        return Collections.unmodifiableMap(files);
    }

    /** The shard of each tensor by the tensor's name, shard after shard, in file order. */
    Map<String, WeightFile> owners() {
        return Collections.unmodifiableMap(owners);
    }

    /** The index, made from the shards where there is none; null for a single file. */
    @Nullable ObjectNode index() {
        return index;
    }

    /** The name of the index's file. */
    String indexName() {
        return indexName;
    }

    /** The view of files whose tensors must be made from others; null for plain ones. */
    @Nullable PackedTensors packed() {
        return packed;
    }

    /** What was odd, a sentence each. */
    List<String> notes() {
        return notes;
    }

    @Override
    public void close() {
        files.values().forEach(WeightFile::close);
    }

    private <T extends WeightFile> T add(String name, T file) {
        files.put(name, file);
        List<String> twice = new ArrayList<>();
        for (String tensor : file.tensors().keySet()) {
            WeightFile other = owners.putIfAbsent(tensor, file);
            if (other != null) {
                requireSame(tensor, other, file);
                twice.add(tensor);
            }
        }
        note(
                twice,
                "is in two shards, with the same values",
                "are in two shards, with the same values");
        return file;
    }

    /** Which of two different tensors of a name counts, nobody can say. */
    private static void requireSame(String tensor, WeightFile one, WeightFile other) {
        TensorInfo first = Objects.requireNonNull(one.tensors().get(tensor));
        TensorInfo second = Objects.requireNonNull(other.tensors().get(tensor));
        boolean same =
                first.dtype() == second.dtype()
                        && first.shape().equals(second.shape())
                        && holdSameBytes(tensor, one, other);
        one.unload(tensor);
        other.unload(tensor);
        if (!same) {
            throw new UserError(
                    "tensor "
                            + Text.quote(tensor)
                            + " is in two shards, "
                            + one.path()
                            + " and "
                            + other.path()
                            + ", with different values; get the checkpoint again");
        }
    }

    private static boolean holdSameBytes(String tensor, WeightFile one, WeightFile other) {
        try (PointerScope scope = new PointerScope()) {
            return bytes(tensor, one).mismatch(bytes(tensor, other)) < 0;
        }
    }

    private static MemorySegment bytes(String tensor, WeightFile file) {
        return file.isConverted(tensor)
                ? Tensors.segment(file.tensor(tensor))
                : file.segment(tensor);
    }

    private void addAll(Path folder, ShardIndex shards) {
        for (String name : shards.files()) {
            Path path = folder.resolve(name);
            String dangling = Impostor.dangling(path);
            if (dangling != null) {
                throw new UserError(dangling);
            }
            if (!Files.isRegularFile(path)) {
                throw new UserError(
                        folder.resolve(shards.layout().index())
                                + " names the shard "
                                + Text.quote(name)
                                + ", which is not in the folder; download the missing file");
            }
            add(
                    name,
                    shards.layout() == WeightLayout.PYTORCH
                            ? PickleFile.open(path)
                            : SafetensorsFile.open(path));
        }
        indexName = shards.layout().index();
        if (shards.json() == null) {
            ObjectNode made = Json.MAPPER.createObjectNode();
            made.putObject("metadata");
            ObjectNode weightMap = made.putObject("weight_map");
            files.forEach((name, file) ->
                    file.tensors().keySet().forEach(tensor -> weightMap.put(tensor, name)));
            index = made;
        } else {
            index = shards.json();
            compare(shards.weightMap());
        }
    }

    private void compare(Map<String, String> weightMap) {
        List<String> absent = new ArrayList<>();
        List<String> elsewhere = new ArrayList<>();
        weightMap.forEach((tensor, name) -> {
            if (!owners.containsKey(tensor)) {
                absent.add(tensor);
            } else if (!Objects.requireNonNull(files.get(name)).tensors().containsKey(tensor)) {
                elsewhere.add(tensor);
            }
        });
        List<String> unnamed =
                owners.keySet().stream().filter(tensor -> !weightMap.containsKey(tensor)).toList();
        String named = " named by " + indexName + " but in no shard";
        note(absent, "is" + named, "are" + named);
        String place = " in another shard than " + indexName + " says";
        note(elsewhere, "is" + place, "are" + place);
        String shard = " in the shards though " + indexName + " does not name ";
        note(unnamed, "is" + shard + "it", "are" + shard + "them");
    }

    private void note(List<String> tensors, String one, String several) {
        if (tensors.size() == 1) {
            notes.add(Text.quote(tensors.getFirst()) + " " + one);
        } else if (!tensors.isEmpty()) {
            notes.add(
                    tensors.size()
                            + " tensors, "
                            + Text.quote(tensors.getFirst())
                            + " first, "
                            + several);
        }
    }
}
