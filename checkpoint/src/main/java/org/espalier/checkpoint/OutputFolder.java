package org.espalier.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.espalier.core.UserError;

/**
 * A folder that comes into being whole or not at all. A hidden work folder beside the final one holds a lock, which
 * tells a living run from a dead one, notes of the run, and in {@link #FILES} what is to become the final folder: that
 * is renamed at the end, in one step. What a dead run has left is found again.
 */
final class OutputFolder implements AutoCloseable {
    static final String FILES = "files";

    /** Tries to get hold of a work folder that others remove at the same time. */
    private static final int TRIES = 20;

    private final Path target;
    private final Path work;
    private final FolderLock lock;
    private boolean keep;
    private boolean committed;
    private boolean closed;

    private OutputFolder(Path target, Path work, FolderLock lock) {
        this.target = target;
        this.work = work;
        this.lock = lock;
    }

    /**
     * Starts a folder, or takes up what a dead run has left of it. A {@link UserError} where it exists with something
     * in it, lies within {@code source}, or is being written by a living run.
     */
    static OutputFolder open(Path source, Path out) {
        Path target = out.toAbsolutePath().normalize();
        Path name = target.getFileName();
        Path parent = target.getParent();
        if (name == null || parent == null) {
            throw new UserError(
                    out + " cannot be written as a folder; give a folder that does not exist yet");
        }
        Path work = parent.resolve("." + name + ".partial");
        try {
            if (realPath(target).startsWith(source.toRealPath())) {
                throw new UserError(
                        "the output folder "
                                + out
                                + " is or lies within the source checkpoint "
                                + source
                                + "; give a folder elsewhere");
            }
            if (!isFree(out)) {
                removeRemains(work);
                throw taken(out);
            }
            Files.createDirectories(parent);
            OutputFolder folder = new OutputFolder(target, work, lock(out, work));
            folder.begin(out);
            return folder;
        } catch (IOException e) {
            throw IoFailure.writing(out, e);
        }
    }

    private void begin(Path out) throws IOException {
        boolean begun = false;
        try {
            if (!isFree(out)) {
                // The run that held the lock has just finished it.
                throw taken(out);
            }
            keep = Files.isDirectory(resolve(""));
            Files.createDirectories(resolve(""));
            DurableFiles.force(work);
            DurableFiles.forceName(work);
            begun = true;
        } finally {
            if (!begun) {
                close();
            }
        }
    }

    /** Where to write a file of the folder; its empty name stands for the folder itself. */
    Path resolve(String name) {
        return work.resolve(FILES).resolve(name);
    }

    /** Where to write a note that does not belong to the folder and is gone when the folder is there. */
    Path note(String name) {
        return work.resolve(name);
    }

    /** Writes a small file and forces it to the disk. */
    void write(String name, byte[] bytes) {
        try {
            DurableFiles.write(resolve(name), bytes);
        } catch (IOException e) {
            throw IoFailure.writing(resolve(name), e);
        }
    }

    /** Removes what is there, notes included, and takes back {@link #keep}. */
    void clear() {
        try {
            try (Stream<Path> entries = Files.list(work)) {
                for (Path entry : entries.toList()) {
                    if (!entry.equals(work.resolve(FolderLock.NAME))) {
                        DurableFiles.removeAll(entry);
                    }
                }
            }
            Files.createDirectories(resolve(""));
            DurableFiles.force(work);
            keep = false;
        } catch (IOException e) {
            throw IoFailure.writing(work, e);
        }
    }

    /** Removes the entries of the folder whose names are not wanted; notes stay. */
    void retain(Predicate<String> wanted) {
        try (Stream<Path> entries = Files.list(resolve(""))) {
            for (Path entry : entries.toList()) {
                if (!wanted.test(String.valueOf(entry.getFileName()))) {
                    DurableFiles.removeAll(entry);
                }
            }
        } catch (IOException e) {
            throw IoFailure.writing(work, e);
        }
    }

    /** Forces the names of all files to the disk; their bytes are the business of those who write them. */
    void force() {
        try {
            DurableFiles.forceAll(resolve(""));
        } catch (IOException e) {
            throw IoFailure.writing(work, e);
        }
    }

    /** From here on {@link #close} leaves everything for a later run. */
    void keep() {
        keep = true;
    }

    /** Gives the folder its final name. Files must not be open any more. */
    void commit() {
        force();
        try {
            DurableFiles.rename(resolve(""), target);
            committed = true;
        } catch (IOException e) {
            throw IoFailure.writing(target, e);
        }
    }

    /** Removes what was written, or what is left after the commit, unless it is to be kept. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        try (lock) {
            if (committed || !keep) {
                // With the lock held: whoever waits for it finds its file gone.
                DurableFiles.removeAll(work);
            }
        } catch (IOException e) {
            throw IoFailure.writing(work, e);
        }
    }

    /** Whether nothing or an empty folder bears the final name. */
    private static boolean isFree(Path out) throws IOException {
        if (Files.isDirectory(out)) {
            try (Stream<Path> entries = Files.list(out)) {
                return entries.findAny().isEmpty();
            }
        }
        return !Files.exists(out);
    }

    private static UserError taken(Path out) {
        return new UserError(
                Files.isDirectory(out)
                        ? "the output folder "
                                + out
                                + " exists and is not empty; give another one or remove it first"
                        : "the output "
                                + out
                                + " exists and is not a folder; give a folder that does not exist yet");
    }

    /** A run that died between the renaming and its end has left a work folder without files. */
    private static void removeRemains(Path work) throws IOException {
        if (!Files.isDirectory(work, LinkOption.NOFOLLOW_LINKS)
                || Files.exists(work.resolve(FILES))) {
            return;
        }
        FolderLock lock = FolderLock.tryLock(work);
        if (lock == null) {
            return;
        }
        try (lock) {
            if (!Files.exists(work.resolve(FILES))) {
                DurableFiles.removeAll(work);
            }
        }
    }

    private static FolderLock lock(Path out, Path work) throws IOException {
        for (int i = 0; i < TRIES; i++) {
            if (!Files.isDirectory(work, LinkOption.NOFOLLOW_LINKS)) {
                Files.deleteIfExists(work);
                Files.createDirectories(work);
            }
            try {
                FolderLock lock = FolderLock.tryLock(work);
                if (lock == null) {
                    break;
                }
                return lock;
            } catch (NoSuchFileException e) {
                // Another run has removed its work folder after we saw it.
            }
        }
        throw new UserError(
                "another run is writing "
                        + out
                        + " at this moment; wait for it or give another folder");
    }

    /** The path with every link resolved, also where its last parts do not exist yet. */
    private static Path realPath(Path path) throws IOException {
        if (Files.exists(path)) {
            return path.toRealPath();
        }
        Path parent = path.getParent();
        return parent == null ? path : realPath(parent).resolve(path.getFileName());
    }
}
