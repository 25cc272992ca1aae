package org.espalier.checkpoint;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.espalier.core.UserError;
import org.jspecify.annotations.Nullable;

/**
 * What lies beside the weights: tokenizer, generation settings, templates, licence, code. Weights in any format belong
 * to the unpruned model and stay behind, as do hidden folders and the receipt of an earlier run; what stays behind can
 * be listed.
 */
final class SideFiles {
    private static final Set<String> LEFT_BEHIND = Set.of("espalier.json", "report.html");

    private final Checkpoint checkpoint;
    private final Path folder;

    private SideFiles(Checkpoint checkpoint) {
        this.checkpoint = checkpoint;
        this.folder = checkpoint.folder();
    }

    /** Copies what lies beside the weights of a checkpoint, whatever its format. */
    static void copy(Checkpoint source, OutputFolder target) {
        CheckpointSource other = source.source();
        if (other == null) {
            new SideFiles(source).copy(target);
        } else {
            other.sideFiles().forEach(target::write);
        }
    }

    /**
     * What lies in the folder and is neither read nor copied, as paths below it, sorted: weight files that are not the
     * model's, what an earlier run or a quantizer says, and hidden folders and links to folders as a whole. Of another
     * format, whose folder is not part of the model, what the file itself has and a folder has not.
     */
    static List<String> leftOut(Checkpoint checkpoint) {
        CheckpointSource other = checkpoint.source();
        return other == null ? new SideFiles(checkpoint).leftOut() : other.leftOut();
    }

    /** Of {@link #leftOut} the weights. */
    static List<String> otherWeights(Checkpoint checkpoint) {
        return leftOut(checkpoint).stream()
                .filter(name -> WeightFiles.isWeights(name.substring(name.lastIndexOf('/') + 1)))
                .toList();
    }

    /** Copies the side files, subfolders included. */
    private void copy(OutputFolder target) {
        for (Path entry : walk(this::isCopied)) {
            if (!Files.isRegularFile(entry)) {
                continue;
            }
            Path copy = target.resolve(folder.relativize(entry).toString());
            try {
                Files.createDirectories(copy.toAbsolutePath().getParent());
                DurableFiles.copy(entry, copy);
            } catch (IOException e) {
                throw IoFailure.writing(copy, e);
            }
        }
    }

    /**
     * Refuses, before any work is done, what could not be copied after it: a file that may not be read, or one whose name
     * is not UTF-8, which has no place in a receipt.
     */
    static void check(Checkpoint source) {
        if (source.source() == null) {
            new SideFiles(source).check();
        }
    }

    private void check() {
        for (Path entry : walk(this::isCopied)) {
            if (!Files.isRegularFile(entry)) {
                continue;
            }
            if (!Files.isReadable(entry)) {
                throw IoFailure.reading(entry, new AccessDeniedException(entry.toString()));
            }
            String name = folder.relativize(entry).toString();
            if (!folder.resolve(name).equals(entry)) {
                throw new UserError(
                        folder
                                + " has a file whose name is not UTF-8, "
                                + Text.quote(name)
                                + ": rename it or take it out");
            }
        }
    }

    private List<String> leftOut() {
        Set<String> used = new TreeSet<>(checkpoint.shards().keySet());
        used.add(ModelFolder.CONFIG);
        if (checkpoint.index() != null) {
            used.add(checkpoint.indexName());
        }
        Set<String> names = new TreeSet<>();
        for (Path entry :
                walk(path -> !isCopied(path) || !Files.isRegularFile(folder.resolve(path)))) {
            Path relative = folder.relativize(entry);
            String hidden = hiddenFolder(relative);
            boolean directory = Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS);
            if (hidden != null) {
                names.add(hidden + "/");
            } else if (!directory && !used.contains(relative.toString())) {
                names.add(relative.toString().replace('\\', '/'));
            }
        }
        return List.copyOf(names);
    }

    private List<Path> walk(Predicate<Path> wanted) {
        try (Stream<Path> walk = Files.walk(folder)) {
            return walk.filter(path -> !path.equals(folder))
                    .filter(path -> wanted.test(folder.relativize(path)))
                    .toList();
        } catch (IOException e) {
            throw IoFailure.reading(folder, e);
        } catch (UncheckedIOException e) {
            throw IoFailure.of(e);
        }
    }

    private boolean isCopied(Path relative) {
        String name = relative.toString();
        boolean misleading =
                checkpoint.isUnquantized() && QuantizationRecord.SIDE_FILES.contains(name);
        return !misleading
                && hiddenFolder(relative) == null
                && !name.equals(ModelFolder.CONFIG)
                && !LEFT_BEHIND.contains(name)
                && !WeightFiles.isWeights(String.valueOf(relative.getFileName()));
    }

    /** The outermost hidden folder that a file lies in; null where it lies in none. */
    private static @Nullable String hiddenFolder(Path relative) {
        for (int i = 0; i < relative.getNameCount() - 1; i++) {
            if (relative.getName(i).toString().startsWith(".")) {
                return relative.subpath(0, i + 1).toString().replace('\\', '/');
            }
        }
        return null;
    }
}
