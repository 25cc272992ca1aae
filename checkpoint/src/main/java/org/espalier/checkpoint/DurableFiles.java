package org.espalier.checkpoint;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * Files that survive a power failure: what a method here has done is on the disk when it returns, not only in the
 * memory of the operating system. On POSIX a file's name is on the disk only when its folder was forced as well.
 */
public final class DurableFiles {
    private static final int CHUNK = 1 << 20;

    private DurableFiles() {}

    /** Writes a small file, over an older one of its name. */
    public static void write(Path file, byte[] bytes) throws IOException {
        try (FileChannel channel = overwrite(file)) {
            put(channel, ByteBuffer.wrap(bytes));
            channel.force(true);
        }
    }

    /** Writes a small text in UTF-8, over an older one of its name. */
    public static void write(Path file, String text) throws IOException {
        write(file, text.getBytes(StandardCharsets.UTF_8));
    }

    /** Copies a file's bytes, not its permissions, over an older one. */
    static void copy(Path from, Path to) throws IOException {
        try (InputStream in = Files.newInputStream(from);
                FileChannel channel = overwrite(to)) {
            byte[] chunk = new byte[CHUNK];
            for (int count = in.read(chunk); count >= 0; count = in.read(chunk)) {
                put(channel, ByteBuffer.wrap(chunk, 0, count));
            }
            channel.force(true);
        }
    }

    /** Gives a file or folder another name on the same disk, in one step. On POSIX an empty folder is replaced. */
    public static void rename(Path from, Path to) throws IOException {
        Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        force(parent(to));
        force(parent(from));
    }

    /** Forces the names of a folder's entries to the disk, where the system lets folders be opened. */
    public static void force(Path folder) throws IOException {
        FileChannel channel;
        try {
            channel = FileChannel.open(folder, StandardOpenOption.READ);
        } catch (IOException e) {
            // Windows does not, and needs no such step.
            return;
        }
        try (channel) {
            channel.force(true);
        }
    }

    /** Forces the name of a file to the disk. */
    public static void forceName(Path file) throws IOException {
        force(parent(file));
    }

    /** Forces the names below a folder, at any depth. */
    static void forceAll(Path folder) throws IOException {
        try (Stream<Path> below = Files.walk(folder)) {
            for (Path path : below.toList()) {
                if (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
                    force(path);
                }
            }
        }
    }

    /** Removes a file or a folder with all that is in it, if it is there. Links are removed, never followed. */
    public static void removeAll(Path path) throws IOException {
        if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        List<Path> below;
        try (Stream<Path> walk = Files.walk(path)) {
            below = walk.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path entry : below) {
            Files.delete(entry);
        }
    }

    private static FileChannel overwrite(Path file) throws IOException {
        return FileChannel.open(
                file,
                StandardOpenOption.CREATE,
                StandardOpenOption.TRUNCATE_EXISTING,
                StandardOpenOption.WRITE);
    }

    private static void put(FileChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    private static Path parent(Path path) {
        return Objects.requireNonNull(path.toAbsolutePath().getParent());
    }
}
