package org.espalier.audit.receipt;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.espalier.checkpoint.IoFailure;

/**
 * A file as the receipt names it.
 *
 * @param name path below its folder, with forward slashes
 * @param bytes size
 * @param sha256 checksum of its bytes
 */
public record FileEntry(String name, long bytes, String sha256) {
    /** One file under the given name. */
    public static FileEntry of(String name, Path file) {
        try {
            return new FileEntry(name, Files.size(file), Checksum.of(file));
        } catch (IOException e) {
            throw IoFailure.reading(file, e);
        }
    }

    /** The named files of a folder, in name order. */
    public static List<FileEntry> of(Path folder, Set<String> names) {
        return names.stream().sorted().map(name -> of(name, folder.resolve(name))).toList();
    }

    /** All regular files below a folder but the given ones, in name order. */
    public static List<FileEntry> below(Path folder, Set<String> except) {
        return names(folder).stream()
                .filter(name -> !except.contains(name))
                .map(name -> of(name, folder.resolve(name)))
                .toList();
    }

    /** Names of all entries below a folder that are no folders, sorted; links count under their own name. */
    public static TreeSet<String> names(Path folder) {
        try (Stream<Path> entries = Files.walk(folder)) {
            return entries.filter(path ->
                            !Files.isDirectory(path, java.nio.file.LinkOption.NOFOLLOW_LINKS))
                    .map(path -> folder.relativize(path).toString().replace('\\', '/'))
                    .collect(Collectors.toCollection(TreeSet::new));
        } catch (IOException e) {
            throw IoFailure.reading(folder, e);
        }
    }
}
