package org.espalier.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A file that is being written and is whole or not there: until the commit its bytes lie in a hidden sibling, which is
 * removed when something goes wrong. Or a file that is written in place, where what an interrupted run has left is worth
 * keeping. Errors of the disk are a {@link org.espalier.core.UserError} that names the file.
 */
public final class PendingFile implements AutoCloseable {
    private final Path file;

    /** What is written until the commit; the file itself where it is written in place. */
    private final Path written;

    private final SegmentChannel channel;
    private boolean committed;

    private PendingFile(Path file, Path written) {
        this.file = file;
        this.written = written;
        try {
            this.channel = SegmentChannel.open(written);
        } catch (IOException e) {
            throw IoFailure.writing(file, e);
        }
    }

    /**
     * Starts a file in a folder that exists.
     *
     * @param file the final name; an older file of that name stays until the commit
     */
    public static PendingFile hidden(Path file) {
        // The number of the process keeps two runs apart.
        String name = "." + file.getFileName() + ".partial-" + ProcessHandle.current().pid();
        Path sibling = file.resolveSibling(name);
        try {
            Files.deleteIfExists(sibling);
        } catch (IOException e) {
            throw IoFailure.writing(file, e);
        }
        return new PendingFile(file, sibling);
    }

    /** Starts a file under its final name, or takes up what lies there; it stays whatever happens. */
    static PendingFile inPlace(Path file) {
        return new PendingFile(file, file);
    }

    /** The final name. */
    public Path file() {
        return file;
    }

    /** Where to write. */
    public SegmentChannel channel() {
        return channel;
    }

    /** Forces the bytes to the disk and gives the file its name, replacing an older one in one step. */
    public void commit() {
        try {
            channel.force();
            channel.close();
            if (!written.equals(file)) {
                DurableFiles.rename(written, file);
            }
            committed = true;
        } catch (IOException e) {
            throw IoFailure.writing(file, e);
        }
    }

    /** Removes what was written, unless it was committed or is written in place. */
    @Override
    public void close() {
        if (committed) {
            return;
        }
        try {
            channel.close();
            if (!written.equals(file)) {
                Files.deleteIfExists(written);
            }
        } catch (IOException e) {
            throw IoFailure.writing(file, e);
        }
    }
}
