package org.espalier.audit.verify;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.espalier.audit.receipt.Checksum;
import org.espalier.audit.receipt.FileEntry;
import org.espalier.audit.receipt.LineEnds;
import org.espalier.core.UserError;
import org.jspecify.annotations.Nullable;

/** Compares the files of a folder with those that a receipt lists. Links count as what they lead to. */
final class FolderCheck {
    /** Larger files are no texts whose line ends a tool would change. */
    private static final long LARGEST_TEXT = 64 << 20;

    private static final String LFS = "version https://git-lfs.github.com/spec/";

    private final Path folder;
    private final List<String> differences = new ArrayList<>();
    private final List<String> added = new ArrayList<>();

    private FolderCheck(Path folder) {
        this.folder = folder;
    }

    /** Files that must be there and unchanged, with whatever else beside them. */
    static List<String> contains(Path folder, List<FileEntry> entries) {
        FolderCheck check = new FolderCheck(folder);
        entries.forEach(check::listed);
        return check.differences;
    }

    /**
     * Files that must be there and unchanged, and nothing else but what tools leave behind.
     *
     * @param others files of the folder that the receipt does not list and that are looked at elsewhere
     * @param added receives the names of what tools have left behind
     */
    static List<String> holds(
            Path folder, List<FileEntry> entries, Set<String> others, List<String> added) {
        FolderCheck check = new FolderCheck(folder);
        entries.forEach(check::listed);
        TreeSet<String> found = FileEntry.names(folder);
        found.removeAll(others);
        entries.forEach(entry -> found.remove(entry.name()));
        found.forEach(check::unlisted);
        added.addAll(check.added);
        return check.differences;
    }

    private void listed(FileEntry entry) {
        Path file = folder.resolve(entry.name());
        if (!Files.isRegularFile(file)) {
            differences.add(
                    file
                            + (Files.isSymbolicLink(file)
                                    ? " is missing: it is a link that leads nowhere"
                                    : " is missing"));
            return;
        }
        try {
            if (!FileEntry.of(entry.name(), file).equals(entry)) {
                differences.add(file + " was changed: " + reason(file, entry));
            }
        } catch (IOException | UncheckedIOException | UserError e) {
            differences.add(file + " cannot be read, so it was not compared with the receipt");
        }
    }

    private void unlisted(String name) {
        if (Addition.isLeftBehind(name)) {
            added.add(name);
        } else {
            differences.add(
                    folder.resolve(name)
                            + " was added: the receipt does not list it, and it is not known as what a hub or a"
                            + " copy tool leaves behind; remove it if the model does not need it");
        }
    }

    private static String reason(Path file, FileEntry entry) throws IOException {
        long bytes = Files.size(file);
        String plain = "its checksum is not that of the receipt";
        if (bytes > LARGEST_TEXT) {
            return bytes < entry.bytes() ? plain + shorter(bytes, entry) : plain;
        }
        byte[] content = Files.readAllBytes(file);
        if (bytes < 1024 && new String(content, StandardCharsets.ISO_8859_1).startsWith(LFS)) {
            return "it is a git-lfs pointer in place of the file; fetch that with 'git lfs pull'";
        }
        String ends = lineEnds(content, entry);
        if (ends != null) {
            return ends;
        }
        return bytes < entry.bytes() ? plain + shorter(bytes, entry) : plain;
    }

    private static String shorter(long bytes, FileEntry entry) {
        return " (it has " + bytes + " of " + entry.bytes() + " bytes)";
    }

    /** What to say where only the line ends differ, or null. */
    private static @Nullable String lineEnds(byte[] content, FileEntry entry) {
        for (boolean windows : new boolean[] {false, true}) {
            byte[] other = windows ? LineEnds.toWindows(content) : LineEnds.toUnix(content);
            if (other.length == entry.bytes() && Checksum.of(other).equals(entry.sha256())) {
                return "its line ends are now "
                        + (windows ? "LF and were CRLF" : "CRLF and were LF")
                        + LineEnds.REMEDY;
            }
        }
        return null;
    }
}
