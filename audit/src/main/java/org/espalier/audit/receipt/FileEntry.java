package org.espalier.audit.receipt;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
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

    /**
     * Names of all entries below a folder that are no folders, sorted. Links below it count under their own name, and so
     * does a folder that may not be listed; the folder itself may be a link.
     */
    public static TreeSet<String> names(Path folder) {
        TreeSet<String> names = new TreeSet<>();
        try {
            Path start = folder.toRealPath();
            Files.walkFileTree(
                    start,
                    new SimpleFileVisitor<>() {
                        @Override
                        public FileVisitResult visitFile(
                                Path path, BasicFileAttributes attributes) {
                            add(path);
                            return FileVisitResult.CONTINUE;
                        }

                        private void add(Path path) {
                            names.add(start.relativize(path).toString().replace('\\', '/'));
                        }

                        @Override
                        public FileVisitResult visitFileFailed(Path path, IOException e)
                                throws IOException {
                            if (path.equals(start)) {
                                throw e;
                            }
                            add(path);
                            return FileVisitResult.CONTINUE;
                        }
                    });
        } catch (IOException e) {
            throw IoFailure.reading(folder, e);
        }
        return names;
    }
}
