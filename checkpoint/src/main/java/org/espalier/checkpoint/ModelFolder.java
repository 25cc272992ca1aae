package org.espalier.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.espalier.core.UserError;
import org.jspecify.annotations.Nullable;

/**
 * A folder that should hold a model: finding its parts and the files beside its weights. What the parts hold is read
 * elsewhere.
 *
 * @param path the folder
 */
record ModelFolder(Path path) {
    static final String CONFIG = "config.json";

    /**
     * Finds the folder of a model, of a root in the hub's cache its snapshot. Whatever is missing is a {@link UserError}
     * that says what is there instead and what to do.
     */
    static ModelFolder of(Path path) {
        Path folder = HubCache.snapshot(path);
        if (!Files.isDirectory(folder)) {
            throw new UserError(Diagnosis.noFolder(folder));
        }
        if (!Files.isRegularFile(folder.resolve(CONFIG))) {
            throw new UserError(Diagnosis.noConfig(folder));
        }
        return new ModelFolder(folder);
    }

    /** A file of this name, whether or not it is there. */
    Path resolve(String name) {
        return path.resolve(name);
    }

    /** Whether there is a regular file of this name. */
    boolean has(String name) {
        return Files.isRegularFile(resolve(name));
    }

    /** The bytes of a file; null where there is none. */
    byte @Nullable [] bytes(String name) {
        try {
            return has(name) ? Files.readAllBytes(resolve(name)) : null;
        } catch (IOException e) {
            throw IoFailure.reading(resolve(name), e);
        }
    }

    /** The regular files directly in the folder, by name, with their sizes in bytes. */
    Map<String, Long> files() {
        Map<String, Long> files = new TreeMap<>();
        try (Stream<Path> entries = Files.list(path)) {
            for (Path entry : entries.filter(Files::isRegularFile).toList()) {
                files.put(String.valueOf(entry.getFileName()), Files.size(entry));
            }
        } catch (IOException e) {
            throw IoFailure.reading(path, e);
        }
        return files;
    }
}
