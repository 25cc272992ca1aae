package org.espalier.fuzz;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.bytedeco.javacpp.PointerScope;
import org.espalier.core.UserError;

/** The property that every reader has to keep, whatever bytes it is given. */
final class Hostile {
    private Hostile() {}

    /** Reads a file, with everything that it leads to. */
    @FunctionalInterface
    interface Reader {
        /** Throws a {@link UserError} where the file cannot be used. */
        void read(Path file);
    }

    /**
     * Writes the bytes to a file and reads it. Only a {@link UserError} of one line may come out; anything else that is
     * thrown, {@link OutOfMemoryError} and {@link StackOverflowError} included, is a fault of the reader.
     */
    static void read(Path file, byte[] bytes, Reader reader) {
        try {
            Files.write(file, bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        try (PointerScope scope = new PointerScope()) {
            reader.read(file);
        } catch (UserError refusal) {
            checkRefusal(refusal);
        }
    }

    /** A refusal is one line. */
    static void checkRefusal(UserError refusal) {
        String message = String.valueOf(refusal.getMessage());
        if (message.isBlank() || message.lines().count() != 1) {
            throw new AssertionError("a refusal must be one line but is: " + message, refusal);
        }
    }
}
