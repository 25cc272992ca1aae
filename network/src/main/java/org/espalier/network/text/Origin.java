package org.espalier.network.text;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where a text came from, and how much of it was read.
 *
 * @param file what the user named
 * @param name its name, for receipts
 * @param sha256 checksum of the bytes that were read, as they are stored
 * @param bytesRead how many they are where the file goes on after them, or null where the whole file was read
 * @param complete whether nothing of the text was left unread
 * @param notes what the user should know of how it was read, one line each
 */
public record Origin(
        Path file,
        String name,
        String sha256,
        @Nullable Long bytesRead,
        boolean complete,
        List<String> notes) {
    public Origin {
        notes = List.copyOf(notes);
    }
}
