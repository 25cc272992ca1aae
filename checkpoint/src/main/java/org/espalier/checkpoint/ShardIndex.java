package org.espalier.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.espalier.core.UserError;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/**
 * Which files the weights of a folder are in: what {@code model.safetensors.index.json} or its like says, or, where
 * there is none, what the names of the shards say.
 *
 * @param layout the format of the shards
 * @param json the index as read; null where there is none
 * @param weightMap the file of each tensor as the index has it; empty where there is none
 * @param files the files in name order
 */
record ShardIndex(
        WeightLayout layout,
        @Nullable ObjectNode json,
        Map<String, String> weightMap,
        TreeSet<String> files) {
    /** Reads an index; names that lead elsewhere are a {@link UserError}. */
    static ShardIndex read(Path folder, WeightLayout layout) {
        Path file = folder.resolve(layout.index());
        ObjectNode json = Json.readObject(file);
        if (!(json.get("weight_map") instanceof ObjectNode map)) {
            throw new UserError(
                    file + " has no object \"weight_map\"; get the checkpoint's index again");
        }
        Map<String, String> weightMap = new LinkedHashMap<>();
        map.properties()
                .forEach(entry -> {
                    String shard = entry.getValue().asString("");
                    if (!isPlainName(shard, layout)) {
                        throw new UserError(
                                file
                                        + " places tensor "
                                        + Text.quote(entry.getKey())
                                        + " in "
                                        + Text.quote(shard)
                                        + ", which is not the plain name of a "
                                        + layout.extension()
                                        + " file in the folder; do not trust this checkpoint");
                    }
                    weightMap.put(entry.getKey(), shard);
                });
        if (weightMap.isEmpty()) {
            throw new UserError(file + " names no tensor; get the checkpoint's index again");
        }
        return new ShardIndex(layout, json, weightMap, new TreeSet<>(weightMap.values()));
    }

    /**
     * The shards of a folder without an index, named {@code model-00001-of-00002.safetensors} and so on; null where there
     * are none. A {@link UserError} names those that are missing.
     */
    static @Nullable ShardIndex ofNames(Path folder, WeightLayout layout) {
        Pattern shard = layout.shards();
        Map<Integer, TreeSet<String>> byTotal = new TreeMap<>();
        try (Stream<Path> entries = Files.list(folder)) {
            for (Path entry : entries.filter(Files::isRegularFile).toList()) {
                Matcher name = shard.matcher(String.valueOf(entry.getFileName()));
                if (name.matches()) {
                    byTotal.computeIfAbsent(
                                    Integer.parseInt(name.group(2)), total -> new TreeSet<>())
                            .add(name.group());
                }
            }
        } catch (IOException e) {
            throw IoFailure.reading(folder, e);
        }
        if (byTotal.isEmpty()) {
            return null;
        }
        if (byTotal.size() > 1) {
            throw new UserError(
                    folder
                            + " has shards of several checkpoints, such as "
                            + byTotal.values().stream().map(TreeSet::first).toList()
                            + ", and no "
                            + layout.index()
                            + " that says which belong together; get the index");
        }
        int total = byTotal.keySet().iterator().next();
        TreeSet<String> present = byTotal.values().iterator().next();
        requireAll(folder, layout, total, present);
        return new ShardIndex(layout, null, Map.of(), present);
    }

    private static void requireAll(
            Path folder, WeightLayout layout, int total, TreeSet<String> present) {
        List<String> missing = new ArrayList<>();
        int absent = 0;
        for (int number = 1; number <= total; number++) {
            String name = layout.shard(number, total);
            if (!present.contains(name)) {
                absent++;
                if (missing.size() < 3) {
                    missing.add(name);
                }
            }
        }
        if (absent > 0) {
            throw new UserError(
                    folder
                            + " has "
                            + present.size()
                            + " of "
                            + total
                            + " shards and no "
                            + layout.index()
                            + "; download what is missing: "
                            + String.join(", ", missing)
                            + (absent > missing.size()
                                    ? " and " + (absent - missing.size()) + " more"
                                    : ""));
        }
    }

    private static boolean isPlainName(String name, WeightLayout layout) {
        return name.endsWith(layout.extension())
                && !name.startsWith(".")
                && name.chars().noneMatch(c -> c == '/' || c == '\\' || c == ':' || c < ' ');
    }
}
