package org.espalier.checkpoint;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What lies beside the weights: tokenizer, generation settings, templates, licence, code. Weights in any format belong
 * to the unpruned model and stay behind, as do hidden folders and the receipt of an earlier run.
 */
final class SideFiles {
    private static final Set<String> LEFT_BEHIND =
            Set.of(ModelFolder.CONFIG, "espalier.json", "report.html");

    private SideFiles() {}

    /** Copies what lies beside the weights of a checkpoint, whatever its format. */
    static void copy(Checkpoint source, OutputFolder target) {
        CheckpointSource other = source.source();
        if (other == null) {
            copy(source.folder(), target);
        } else {
            other.sideFiles().forEach(target::write);
        }
    }

    /** Copies the side files of {@code source}, subfolders included, to {@code target}. */
    static void copy(Path source, OutputFolder target) {
        List<Path> entries;
        try (Stream<Path> walk = Files.walk(source)) {
            entries = walk.filter(path -> isSideFile(source.relativize(path))).toList();
        } catch (IOException e) {
            throw IoFailure.reading(source, e);
        } catch (UncheckedIOException e) {
            throw IoFailure.reading(source, new IOException(e.getMessage(), e));
        }
        for (Path entry : entries) {
            if (!Files.isRegularFile(entry)) {
                continue;
            }
            Path copy = target.resolve(source.relativize(entry).toString());
            try {
                Files.createDirectories(copy.toAbsolutePath().getParent());
                DurableFiles.copy(entry, copy);
            } catch (IOException e) {
                throw IoFailure.writing(copy, e);
            }
        }
    }

    private static boolean isSideFile(Path relative) {
        for (int i = 0; i < relative.getNameCount() - 1; i++) {
            if (relative.getName(i).toString().startsWith(".")) {
                return false;
            }
        }
        return !LEFT_BEHIND.contains(relative.toString())
                && !WeightFiles.isWeights(String.valueOf(relative.getFileName()));
    }
}
