package org.espalier.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.espalier.core.UserError;
import org.jspecify.annotations.Nullable;

/**
 * A folder that comes into being whole or not at all: it is filled under a hidden name beside the final one and renamed
 * at the end. A lock tells a partial folder that is still being filled from one that a dead run left behind.
 */
final class OutputFolder implements AutoCloseable {
    static final String LOCK = ".lock";

    private final Path target;
    private final Path partial;
    private final FileChannel lock;
    private boolean committed;

    private OutputFolder(Path target, Path partial, FileChannel lock) {
        this.target = target;
        this.partial = partial;
        this.lock = lock;
    }

    /** Starts a folder; one that exists with something in it, or lies within {@code source}, is a {@link UserError}. */
    static OutputFolder create(Path source, Path out) {
        Path target = out.toAbsolutePath().normalize();
        Path name = target.getFileName();
        Path parent = target.getParent();
        if (name == null || parent == null) {
            throw new UserError(
                    out + " cannot be written as a folder; give a folder that does not exist yet");
        }
        try {
            if (realPath(target).startsWith(source.toRealPath())) {
                throw new UserError(
                        "the output folder "
                                + out
                                + " is or lies within the source checkpoint "
                                + source
                                + "; give a folder elsewhere");
            }
            checkFree(out);
            Files.createDirectories(parent);
            Path partial = parent.resolve("." + name + ".partial");
            if (!Files.isDirectory(partial, LinkOption.NOFOLLOW_LINKS)) {
                Files.deleteIfExists(partial);
                Files.createDirectory(partial);
            }
            FileChannel lock = lock(out, partial);
            clear(partial);
            return new OutputFolder(target, partial, lock);
        } catch (IOException e) {
            throw IoFailure.writing(out, e);
        }
    }

    /** Where to write a file of the folder. */
    Path resolve(String name) {
        return partial.resolve(name);
    }

    /** Writes a small file and forces it to the disk. */
    void write(String name, byte[] bytes) {
        Path file = resolve(name);
        try (FileChannel channel =
                FileChannel.open(
                        file,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.TRUNCATE_EXISTING,
                        StandardOpenOption.WRITE)) {
            ByteBuffer buffer = ByteBuffer.wrap(bytes);
            while (buffer.hasRemaining()) {
                channel.write(buffer);
            }
            channel.force(true);
        } catch (IOException e) {
            throw IoFailure.writing(file, e);
        }
    }

    /** Gives the folder its final name. */
    void commit() {
        try {
            lock.close();
            Files.delete(partial.resolve(LOCK));
            // On POSIX a rename replaces an empty folder in one step.
            Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE);
            committed = true;
        } catch (IOException e) {
            throw IoFailure.writing(target, e);
        }
    }

    /** Removes what was written, unless it was committed. */
    @Override
    public void close() {
        if (committed) {
            return;
        }
        try {
            clear(partial);
            lock.close();
            Files.deleteIfExists(partial.resolve(LOCK));
            Files.deleteIfExists(partial);
        } catch (IOException e) {
            throw IoFailure.writing(partial, e);
        }
    }

    private static void checkFree(Path out) throws IOException {
        if (Files.isDirectory(out)) {
            try (Stream<Path> entries = Files.list(out)) {
                if (entries.findAny().isPresent()) {
                    throw new UserError(
                            "the output folder "
                                    + out
                                    + " exists and is not empty; give another one or remove it first");
                }
            }
        } else if (Files.exists(out)) {
            throw new UserError(
                    "the output "
                            + out
                            + " exists and is not a folder; give a folder that does not exist yet");
        }
    }

    private static FileChannel lock(Path out, Path partial) throws IOException {
        FileChannel channel =
                FileChannel.open(
                        partial.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        @Nullable FileLock lock;
        try {
            lock = channel.tryLock();
        } catch (OverlappingFileLockException e) {
            lock = null;
        }
        if (lock == null) {
            channel.close();
            throw new UserError(
                    "another run is writing "
                            + out
                            + " at this moment; wait for it or give another folder");
        }
        return channel;
    }

    /** Deletes everything in the folder but the lock. Links are removed, never followed. */
    private static void clear(Path partial) throws IOException {
        if (!Files.isDirectory(partial)) {
            return;
        }
        List<Path> entries;
        try (Stream<Path> walk = Files.walk(partial)) {
            entries = walk.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path entry : entries) {
            if (!entry.equals(partial) && !entry.equals(partial.resolve(LOCK))) {
                Files.delete(entry);
            }
        }
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
