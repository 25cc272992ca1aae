package org.espalier.checkpoint;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Keeps a folder for one run among all processes. The operating system frees it when the process ends, however it ends.
 * The folder may be removed, lock file included, while the lock is held.
 */
final class FolderLock implements AutoCloseable {
    static final String NAME = ".lock";

    /** The folders that this process holds. */
    private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

    private final Path folder;
    private final FileChannel channel;

    private FolderLock(Path folder, FileChannel channel) {
        this.folder = folder;
        this.channel = channel;
    }

    /**
     * Locks a folder.
     *
     * @return null where another run holds it
     * @throws NoSuchFileException if another run has just removed it
     */
    static @Nullable FolderLock tryLock(Path folder) throws IOException {
        // The system counts locks by process, not by channel, and closing any channel of the file
        // gives them up: the file of a lock that this process holds must not be opened again.
        if (!HELD.add(folder)) {
            return null;
        }
        boolean locked = false;
        try {
            FileChannel channel = tryOpen(folder.resolve(NAME));
            locked = channel != null;
            return channel == null ? null : new FolderLock(folder, channel);
        } finally {
            if (!locked) {
                HELD.remove(folder);
            }
        }
    }

    private static @Nullable FileChannel tryOpen(Path file) throws IOException {
        if (!Files.exists(file)) {
            Files.write(file, new byte[0], StandardOpenOption.CREATE);
        }
        Object key = key(file);
        FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE);
        boolean good = false;
        try {
            if (channel.tryLock() == null) {
                return null;
            }
            if (!Objects.equals(key, key(file))) {
                // The run that held it has removed it after we had opened it.
                throw new NoSuchFileException(file.toString());
            }
            good = true;
            return channel;
        } catch (OverlappingFileLockException e) {
            return null;
        } finally {
            if (!good) {
                channel.close();
            }
        }
    }

    /** What tells a file from a later one of the same name; null where the system has no such thing. */
    private static @Nullable Object key(Path file) throws IOException {
        return Files.readAttributes(file, BasicFileAttributes.class).fileKey();
    }

    @Override
    public void close() throws IOException {
        channel.close();
        HELD.remove(folder);
    }
}
