package org.espalier.cli;

import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import org.espalier.core.UserError;

/** The room on a disk, asked before the work and not found out after it. */
final class DiskRoom {
    private DiskRoom() {}

    /**
     * Refuses what the disk has no room for; passes where the system does not tell.
     *
     * @param folder a folder that exists, on the disk that is meant
     * @param out what the user calls what is going to be written
     */
    static void require(Path folder, Path out, long bytes) {
        try {
            FileStore disk = Files.getFileStore(folder);
            if (disk.getTotalSpace() > 0 && disk.getUsableSpace() < bytes) {
                throw new UserError(
                        out
                                + " is going to take "
                                + Words.bytes(bytes)
                                + " and its disk has "
                                + Words.bytes(disk.getUsableSpace())
                                + " free: make room, or write to another disk with --out");
            }
        } catch (IOException | UnsupportedOperationException e) {
            // Nobody knows: the writing will tell.
        }
    }
}
