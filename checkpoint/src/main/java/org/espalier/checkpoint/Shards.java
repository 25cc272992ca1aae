package org.espalier.checkpoint;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.espalier.core.UserError;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/**
 * The weight files of a Hugging Face folder: {@code model.safetensors}, or several shards, with an index or without, or
 * {@link BitmaskFile}. As for transformers the shards themselves say which tensors there are; an index says which shards
 * belong to the model, and where it says more than that and is wrong, that is a note.
 */
final class Shards implements AutoCloseable {
    static final String SINGLE = "model.safetensors";
    static final String INDEX = "model.safetensors.index.json";

    private @Nullable ObjectNode index;
    private final Map<String, SafetensorsFile> files = new LinkedHashMap<>();
    private final Map<String, SafetensorsFile> owners = new LinkedHashMap<>();
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
        // Where both exist the single file wins, as it does for transformers.
        if (Files.isRegularFile(folder.resolve(SINGLE))) {
            add(SINGLE, folder.resolve(SINGLE));
        } else if (Files.isRegularFile(folder.resolve(INDEX))) {
            addAll(folder, ShardIndex.read(folder.resolve(INDEX)));
        } else if (Files.isRegularFile(folder.resolve(BitmaskFile.NAME))) {
            packed = new BitmaskFile(add(BitmaskFile.NAME, folder.resolve(BitmaskFile.NAME)));
        } else {
            ShardIndex named = ShardIndex.ofNames(folder);
            if (named == null) {
                throw new UserError(Diagnosis.noWeights(folder));
            }
            addAll(folder, named);
            notes.add(
                    "there is no "
                            + INDEX
                            + "; the "
                            + files.size()
                            + " shards are read by their names");
        }
    }

    /** The shards by file name, in name order. */
    Map<String, SafetensorsFile> files() {
        return Collections.unmodifiableMap(files);
    }

    /** The shard of each tensor by the tensor's name, shard after shard, in file order. */
    Map<String, SafetensorsFile> owners() {
        return Collections.unmodifiableMap(owners);
    }

    /** The index, made from the shards where there is none; null for a single file. */
    @Nullable ObjectNode index() {
        return index;
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
        files.values().forEach(SafetensorsFile::close);
    }

    private SafetensorsFile add(String name, Path path) {
        SafetensorsFile file = SafetensorsFile.open(path);
        files.put(name, file);
        List<String> twice = new ArrayList<>();
        for (String tensor : file.tensors().keySet()) {
            SafetensorsFile other = owners.putIfAbsent(tensor, file);
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
    private static void requireSame(String tensor, SafetensorsFile one, SafetensorsFile other) {
        TensorInfo first = Objects.requireNonNull(one.tensors().get(tensor));
        TensorInfo second = Objects.requireNonNull(other.tensors().get(tensor));
        boolean same =
                first.dtype() == second.dtype()
                        && first.shape().equals(second.shape())
                        && one.segment(tensor).mismatch(other.segment(tensor)) < 0;
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

    private void addAll(Path folder, ShardIndex shards) {
        for (String name : shards.files()) {
            Path path = folder.resolve(name);
            String dangling = Impostor.dangling(path);
            if (dangling != null) {
                throw new UserError(dangling);
            }
            if (!Files.isRegularFile(path)) {
                throw new UserError(
                        folder.resolve(INDEX)
                                + " names the shard "
                                + Text.quote(name)
                                + ", which is not in the folder; download the missing file");
            }
            add(name, path);
        }
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
        String named = " named by " + INDEX + " but in no shard";
        note(absent, "is" + named, "are" + named);
        String place = " in another shard than " + INDEX + " says";
        note(elsewhere, "is" + place, "are" + place);
        String shard = " in the shards though " + INDEX + " does not name ";
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
