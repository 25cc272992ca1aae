package org.espalier.checkpoint;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.espalier.core.UserError;

/**
 * The layout in which the Hugging Face hub's client keeps what it downloads: {@code models--ORG--NAME} with the files
 * under {@code blobs}, links to them under {@code snapshots/COMMIT}, and under {@code refs} which commit a branch was.
 */
public final class HubCache {
    private static final String PREFIX = "models--";
    private static final String SNAPSHOTS = "snapshots";
    private static final int LONGEST_REFERENCE = 256;
    private static final int SHOWN = 5;

    private HubCache() {}

    /**
     * The snapshot that {@code refs/main} names, where the path is the root of a model in the cache; every other path as
     * it is. Without {@code refs/main} the one snapshot; a root with none or several is a {@link UserError}.
     */
    public static Path snapshot(Path path) {
        if (!isRoot(path)) {
            return path;
        }
        Path snapshots = path.resolve(SNAPSHOTS);
        Path main = path.resolve("refs").resolve("main");
        return Files.isRegularFile(main) ? named(snapshots, main) : only(snapshots);
    }

    /** Whether a path is the root of a model in the cache. */
    static boolean isRoot(Path path) {
        return Files.isDirectory(path.resolve(SNAPSHOTS))
                && (Files.isDirectory(path.resolve("blobs"))
                        || Files.isDirectory(path.resolve("refs")))
                && !Files.exists(path.resolve(ModelFolder.CONFIG));
    }

    /** The name of a model for people: ORG/NAME of a snapshot in the cache, of everything else its last name. */
    public static String name(Path model) {
        Path path = model.toAbsolutePath().normalize();
        Path snapshots = path.getParent();
        Path root = snapshots == null ? null : snapshots.getParent();
        String name = root == null ? "" : String.valueOf(root.getFileName());
        boolean cached =
                snapshots != null && snapshots.endsWith(SNAPSHOTS) && name.startsWith(PREFIX);
        return cached
                ? name.substring(PREFIX.length()).replace("--", "/")
                : String.valueOf(path.getFileName());
    }

    private static Path named(Path snapshots, Path reference) {
        String commit;
        try (var in = Files.newInputStream(reference)) {
            commit =
                    new String(in.readNBytes(LONGEST_REFERENCE), StandardCharsets.US_ASCII).strip();
        } catch (IOException e) {
            throw IoFailure.reading(reference, e);
        }
        if (!commit.matches("[0-9A-Za-z]+")) {
            throw new UserError(
                    reference
                            + " holds "
                            + Text.quote(commit)
                            + ", which is no commit; give a folder under "
                            + snapshots);
        }
        Path snapshot = snapshots.resolve(commit);
        if (!Files.isDirectory(snapshot)) {
            throw new UserError(
                    reference
                            + " names the snapshot "
                            + commit
                            + ", which is not there; download the model again");
        }
        return snapshot;
    }

    private static Path only(Path snapshots) {
        List<Path> all;
        try (Stream<Path> entries = Files.list(snapshots)) {
            all = entries.filter(Files::isDirectory).sorted().toList();
        } catch (IOException e) {
            throw IoFailure.reading(snapshots, e);
        }
        if (all.size() == 1) {
            return all.getFirst();
        }
        if (all.isEmpty()) {
            throw new UserError(snapshots + " is empty; download the model again");
        }
        List<String> names =
                all.stream().limit(SHOWN).map(path -> String.valueOf(path.getFileName())).toList();
        throw new UserError(
                snapshots
                        + " holds "
                        + all.size()
                        + " snapshots and no refs/main says which; give one of them: "
                        + Text.line(String.join(", ", names))
                        + (all.size() > SHOWN ? ", ..." : ""));
    }
}
