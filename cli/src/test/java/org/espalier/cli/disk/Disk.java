package org.espalier.cli.disk;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What a disk has and what is only on its way there. Writes count as operations; at the chosen one it fails. When the
 * power is cut, a file keeps what was forced, and of every later write all, a part or nothing; a new name whose folder
 * was not forced may be gone.
 */
public final class Disk {
    /** How the disk fails. */
    public enum Fault {
        NONE,
        FULL,
        POWER_CUT
    }

    private static final int SECTOR = 512;

    private final Random random;
    private final Fault fault;
    private final long failsAt;
    private final DiskFileSystem system = new DiskFileSystem(this);
    private long operations;
    private boolean off;
    private final Map<Path, Unforced> unforced = new LinkedHashMap<>();
    private final Set<Path> unnamed = new LinkedHashSet<>();

    private record Write(long position, ByteBuffer bytes) {}

    /** The forced content of a file and the writes after it. */
    private record Unforced(ByteBuffer content, List<Write> writes) {}

    /**
     * @param fault what goes wrong
     * @param failsAt the operation that goes wrong, from 0
     * @param seed decides what survives of unforced writes
     */
    public Disk(Fault fault, long failsAt, long seed) {
        this.fault = fault;
        this.failsAt = failsAt;
        this.random = new Random(seed);
    }

    /** The same path on this disk. */
    public Path path(Path real) {
        return system.path(real.toAbsolutePath());
    }

    /** Operations so far. */
    public long operations() {
        return operations;
    }

    /** Whether the fault has come. */
    public boolean hasFailed() {
        return fault != Fault.NONE && operations > failsAt;
    }

    /** An operation that needs no room: removing, forcing, cutting off. */
    synchronized void operation() {
        requirePower();
        operations++;
        if (fault == Fault.POWER_CUT && hasFailed()) {
            cut();
        }
    }

    /** An operation that needs room. */
    synchronized void grow() throws IOException {
        operation();
        if (fault == Fault.FULL && hasFailed()) {
            throw new IOException("No space left on device");
        }
    }

    synchronized void requirePower() {
        if (off) {
            throw new PowerCut();
        }
    }

    synchronized void created(Path file) {
        unnamed.add(file);
    }

    synchronized void moved(Path from, Path to) {
        for (Path path : List.copyOf(unnamed)) {
            if (path.startsWith(from)) {
                unnamed.remove(path);
                unnamed.add(to.resolve(from.relativize(path)));
            }
        }
    }

    synchronized void deleted(Path file) {
        unnamed.remove(file);
        unforced.remove(file);
    }

    /** Notes a write before it happens. */
    synchronized void writes(Path file, long position, ByteBuffer bytes) throws IOException {
        byte[] copy = new byte[bytes.remaining()];
        bytes.duplicate().get(copy);
        before(file).writes().add(new Write(position, ByteBuffer.wrap(copy)));
    }

    /** A file is about to be cut off: whole or not at all, so the cut counts as forced. */
    synchronized void truncates(Path file) {
        unforced.remove(file);
    }

    synchronized void forced(Path file) {
        if (Files.isDirectory(file)) {
            unnamed.removeIf(path -> file.equals(path.getParent()));
        }
        unforced.remove(file);
    }

    private Unforced before(Path file) throws IOException {
        Unforced known = unforced.get(file);
        if (known == null) {
            known = new Unforced(ByteBuffer.wrap(Files.readAllBytes(file)), new ArrayList<>());
            unforced.put(file, known);
        }
        return known;
    }

    private void cut() {
        off = true;
        try {
            for (Map.Entry<Path, Unforced> file : unforced.entrySet()) {
                if (Files.exists(file.getKey())) {
                    Files.write(file.getKey(), survivors(file.getValue()));
                }
            }
            for (Path path : unnamed) {
                if (random.nextBoolean() && Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
                    remove(path);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        throw new PowerCut();
    }

    private byte[] survivors(Unforced file) {
        byte[] content = file.content().array();
        for (Write write : file.writes()) {
            int length = write.bytes().capacity();
            int kept =
                    switch (random.nextInt(3)) {
                        case 0 -> 0;
                        case 1 -> length;
                        default -> Math.min(length, random.nextInt(length + 1) / SECTOR * SECTOR);
                    };
            int end = (int) write.position() + kept;
            if (kept > 0) {
                content = Arrays.copyOf(content, Math.max(content.length, end));
                System.arraycopy(write.bytes().array(), 0, content, (int) write.position(), kept);
            }
        }
        return content;
    }

    private static void remove(Path path) throws IOException {
        try (Stream<Path> below = Files.walk(path)) {
            for (Path entry : below.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(entry);
            }
        }
    }
}
