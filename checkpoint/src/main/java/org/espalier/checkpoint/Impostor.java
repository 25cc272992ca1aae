package org.espalier.checkpoint;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.espalier.core.UserError;
import org.jspecify.annotations.Nullable;

/**
 * What lies under the name of a model's file where the file itself was never fetched: a git-lfs pointer, a link into
 * nowhere, the answer of a server, nothing at all. Says what it is and the one thing to do.
 */
public final class Impostor {
    /** Enough for a whole pointer, and for the beginning of any page. */
    static final int HEAD = 512;

    /** A text shorter than this may be the beginning of anything. */
    private static final int TELLING = 8;

    private static final String POINTER = "version https://git-lfs.github.com/spec/";
    private static final Pattern POINTER_SIZE = Pattern.compile("(?m)^size (\\d{1,18})$");

    private Impostor() {}

    /** Refuses a file of any kind that is a git-lfs pointer, a web page or a link into nowhere. */
    public static void refuse(Path file) {
        refuse(file, head(file));
    }

    /** As {@link #refuse(Path)}, of the first bytes of the file. */
    static void refuse(Path file, byte[] head) {
        String what = pretence(head);
        if (what != null) {
            throw new UserError(file + " " + what);
        }
    }

    /** As {@link #refuse(Path)}; of a file that must be binary also what is empty, text or an archive. */
    static void refuseForBinary(Path file, byte[] head) {
        refuse(file, head);
        String what = other(head);
        if (what != null) {
            throw new UserError(file + " " + what);
        }
    }

    /** Where a link leads that has no file at its end; null for everything else. */
    static @Nullable String dangling(Path file) {
        if (!Files.isSymbolicLink(file) || Files.exists(file)) {
            return null;
        }
        try {
            return file
                    + " is a link to "
                    + Files.readSymbolicLink(file)
                    + ", which is not there; download the file again, or copy the folder with its links followed"
                    + " (cp -rL)";
        } catch (IOException e) {
            throw IoFailure.reading(file, e);
        }
    }

    /** The first bytes of a file. */
    static byte[] head(Path file) {
        String dangling = dangling(file);
        if (dangling != null) {
            throw new UserError(dangling);
        }
        try (InputStream in = Files.newInputStream(file)) {
            return in.readNBytes(HEAD);
        } catch (IOException e) {
            throw IoFailure.reading(file, e);
        }
    }

    private static @Nullable String pretence(byte[] head) {
        String text = new String(head, StandardCharsets.ISO_8859_1);
        if (text.startsWith(POINTER)) {
            Matcher size = POINTER_SIZE.matcher(text);
            return "is a git-lfs pointer and not the file itself"
                    + (size.find() ? " (" + size.group(1) + " bytes)" : "")
                    + "; run 'git lfs pull' in the clone, or download the file";
        }
        String start = text.stripLeading().toLowerCase(Locale.ROOT);
        boolean page = start.startsWith("<!doctype html") || start.startsWith("<html");
        if (page || (start.startsWith("<?xml") && start.contains("<error>"))) {
            return "is a "
                    + (page ? "web page" : "server's message")
                    + " that was saved under the file's name; download the file itself, signed in where the model"
                    + " asks for that";
        }
        return null;
    }

    private static @Nullable String other(byte[] head) {
        if (head.length == 0) {
            return "is empty (0 bytes); download the file again";
        }
        if (starts(head, 'P', 'K', 3, 4)) {
            return "is a zip archive, such as a PyTorch file under another name; unpack or convert it";
        }
        if (starts(head, 0x1f, 0x8b)) {
            return "is packed with gzip; unpack it first";
        }
        if (starts(head, 'G', 'G', 'U', 'F')) {
            return "is a GGUF file; give it a name that ends in .gguf, and that name as the model";
        }
        if (head.length < TELLING) {
            return null;
        }
        for (byte b : head) {
            if (b < ' ' && b != '\n' && b != '\r' && b != '\t') {
                return null;
            }
        }
        String beginning = new String(head, StandardCharsets.US_ASCII).strip();
        return "is a text that begins with "
                + Text.quote(beginning.substring(0, Math.min(40, beginning.length())))
                + " and holds no weights; download the file again";
    }

    private static boolean starts(byte[] head, int... magic) {
        for (int i = 0; i < magic.length; i++) {
            if (i >= head.length || (head[i] & 0xff) != magic[i]) {
                return false;
            }
        }
        return true;
    }
}
