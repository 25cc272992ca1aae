package org.espalier.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.espalier.core.UserError;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/**
 * The weight files of a Hugging Face folder: {@code model.safetensors}, or several files under
 * {@code model.safetensors.index.json}, whose claims are checked against the files, or {@link BitmaskFile}.
 */
final class Shards implements AutoCloseable {
    static final String SINGLE = "model.safetensors";
    static final String INDEX = "model.safetensors.index.json";

    private final @Nullable ObjectNode index;
    private final Map<String, SafetensorsFile> files = new LinkedHashMap<>();
    private final Map<String, SafetensorsFile> owners = new LinkedHashMap<>();

    /** The view of files whose tensors must be made from others; null for plain files. */
    private @Nullable PackedTensors packed;

    /** No shards at all, for checkpoints of another format. */
    static final Shards NONE = new Shards(null);

    private Shards(@Nullable ObjectNode index) {
        this.index = index;
    }

    static Shards open(Path folder) {
        // Where both exist the single file wins, as it does for transformers.
        boolean single = Files.isRegularFile(folder.resolve(SINGLE));
        boolean several = !single && Files.isRegularFile(folder.resolve(INDEX));
        if (!single && !several && !Files.isRegularFile(folder.resolve(BitmaskFile.NAME))) {
            throw new UserError(noWeights(folder));
        }
        Shards shards = new Shards(!several ? null : Json.readObject(folder.resolve(INDEX)));
        boolean opened = false;
        try {
            if (single) {
                shards.add(SINGLE, folder.resolve(SINGLE));
            } else if (!several) {
                shards.packed =
                        new BitmaskFile(
                                shards.add(BitmaskFile.NAME, folder.resolve(BitmaskFile.NAME)));
            } else {
                shards.addAll(folder, weightMap(folder.resolve(INDEX), shards.index()));
            }
            opened = true;
            return shards;
        } finally {
            if (!opened) {
                shards.close();
            }
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

    /** The index as read, or null for a single file. */
    @Nullable ObjectNode index() {
        return index;
    }

    /** The view of a packed file; null for plain ones. */
    @Nullable PackedTensors packed() {
        return packed;
    }

    @Override
    public void close() {
        files.values().forEach(SafetensorsFile::close);
    }

    private SafetensorsFile add(String name, Path path) {
        SafetensorsFile file = SafetensorsFile.open(path);
        files.put(name, file);
        for (String tensor : file.tensors().keySet()) {
            SafetensorsFile other = owners.putIfAbsent(tensor, file);
            if (other != null) {
                throw new UserError(
                        "tensor "
                                + Text.quote(tensor)
                                + " is in two shards, "
                                + other.path()
                                + " and "
                                + path
                                + "; get the checkpoint again");
            }
        }
        return file;
    }

    private void addAll(Path folder, Map<String, String> weightMap) {
        for (String name : new TreeSet<>(weightMap.values())) {
            Path path = folder.resolve(name);
            if (!Files.isRegularFile(path)) {
                throw new UserError(
                        folder.resolve(INDEX)
                                + " names the shard "
                                + Text.quote(name)
                                + ", which is not in the folder; download the missing file");
            }
            add(name, path);
        }
        weightMap.forEach((tensor, name) -> {
            SafetensorsFile file = files.get(name);
            if (file == null || !file.tensors().containsKey(tensor)) {
                throw new UserError(
                        folder.resolve(INDEX)
                                + " places tensor "
                                + Text.quote(tensor)
                                + " in "
                                + Text.quote(name)
                                + ", which does not have it; get the checkpoint again");
            }
        });
        owners.forEach((tensor, file) -> {
            if (!weightMap.containsKey(tensor)) {
                throw new UserError(
                        file.path()
                                + " holds tensor "
                                + Text.quote(tensor)
                                + ", which "
                                + INDEX
                                + " does not name; get the checkpoint again");
            }
        });
    }

    private static Map<String, String> weightMap(Path file, @Nullable ObjectNode index) {
        if (index == null || !(index.get("weight_map") instanceof ObjectNode map)) {
            throw new UserError(
                    file + " has no object \"weight_map\"; get the checkpoint's index again");
        }
        Map<String, String> weightMap = new LinkedHashMap<>();
        map.properties()
                .forEach(entry -> {
                    String shard = entry.getValue().asString("");
                    if (!isPlainName(shard)) {
                        throw new UserError(
                                file
                                        + " places tensor "
                                        + Text.quote(entry.getKey())
                                        + " in "
                                        + Text.quote(shard)
                                        + ", which is not the plain name of a .safetensors file in the"
                                        + " folder; do not trust this checkpoint");
                    }
                    weightMap.put(entry.getKey(), shard);
                });
        if (weightMap.isEmpty()) {
            throw new UserError(file + " names no tensor; get the checkpoint's index again");
        }
        return weightMap;
    }

    private static boolean isPlainName(String name) {
        return name.endsWith(".safetensors")
                && !name.startsWith(".")
                && name.chars().noneMatch(c -> c == '/' || c == '\\' || c == ':' || c < ' ');
    }

    private static String noWeights(Path folder) {
        List<String> others;
        try (Stream<Path> entries = Files.list(folder)) {
            others =
                    entries.map(path -> String.valueOf(path.getFileName()))
                            .filter(name -> WeightFiles.isWeights(name))
                            .sorted()
                            .limit(3)
                            .toList();
        } catch (IOException e) {
            throw IoFailure.reading(folder, e);
        }
        String wanted = "neither " + SINGLE + " nor " + INDEX;
        return others.isEmpty()
                ? folder
                        + " has "
                        + wanted
                        + "; give the folder of a Hugging Face checkpoint with safetensors weights"
                : folder
                        + " has "
                        + wanted
                        + ", only "
                        + Text.line(String.join(", ", others))
                        + "; convert or download the weights as safetensors";
    }
}
