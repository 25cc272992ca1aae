package org.espalier.prune.calibrate;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Two files that take turns: one holds what left the last finished block, the other one what leaves the next. Nothing is
 * forced to the disk, which would take longer than a power failure is worth: what such a failure has lost shows in the
 * checksum.
 */
final class StateFiles implements AutoCloseable {
    private static final int CHUNK = 1 << 20;

    private final Path name;
    private final @Nullable ScratchFile[] files = new @Nullable ScratchFile[2];
    private boolean outdated;

    /**
     * @param name what both names begin with
     */
    StateFiles(Path name) {
        this.name = name;
    }

    /** One of them, emptied when it is first asked for. */
    ScratchFile file(int number) {
        ScratchFile file = files[number];
        if (file == null) {
            file = ScratchFile.lasting(path(number), true);
            files[number] = file;
        }
        return file;
    }

    /**
     * Opens the file of an earlier run.
     *
     * @return whether it holds what was noted; else it is to be made anew
     */
    boolean takeUp(SavedStates saved) {
        if (!holds(saved)) {
            return false;
        }
        files[saved.file()] = ScratchFile.lasting(path(saved.file()), false);
        return true;
    }

    private boolean holds(SavedStates saved) {
        CRC32C sum = new CRC32C();
        try (FileChannel channel = FileChannel.open(path(saved.file()), StandardOpenOption.READ)) {
            if (channel.size() != saved.bytes()) {
                return false;
            }
            ByteBuffer chunk = ByteBuffer.allocate(CHUNK);
            while (channel.read(chunk) >= 0) {
                sum.update(chunk.flip());
                chunk.clear();
            }
        } catch (IOException e) {
            // Missing, or unreadable: the blocks before it can be run again.
            return false;
        }
        return digits(sum).equals(saved.checksum());
    }

    /** A checksum as it is noted. */
    static String digits(CRC32C sum) {
        return "%08x".formatted(sum.getValue());
    }

    /** Gives back the room that one of them takes. */
    void drop(int number) {
        ScratchFile file = files[number];
        if (file != null) {
            file.close();
            files[number] = null;
        }
        remove(number);
    }

    /** Has {@link #close} remove the files: no later run needs them. */
    void outdate() {
        outdated = true;
    }

    @Override
    public void close() {
        for (ScratchFile file : files) {
            if (file != null) {
                file.close();
            }
        }
        for (int number = 0; outdated && number < files.length; number++) {
            remove(number);
        }
    }

    private void remove(int number) {
        try {
            Files.deleteIfExists(path(number));
        } catch (IOException e) {
            // It goes with the work folder.
        }
    }

    private Path path(int number) {
        return name.resolveSibling(name.getFileName() + "." + number);
    }
}
