package org.espalier.checkpoint;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Objects;
import org.espalier.core.UserError;
import org.jspecify.annotations.Nullable;

/** Failures of the file system, said in one line. */
public final class IoFailure {
    private IoFailure() {}

    /** A file that cannot be read. */
    public static UserError reading(Path path, IOException cause) {
        return new UserError(
                "cannot read "
                        + path
                        + ": "
                        + reason(cause)
                        + "; check the path, its permissions and the disk",
                cause);
    }

    /** A file that cannot be written. */
    public static UserError writing(Path path, IOException cause) {
        return new UserError(
                "cannot write "
                        + path
                        + ": "
                        + reason(cause)
                        + "; check free space and permissions, then run again",
                cause);
    }

    /** Whatever a stream of files met on its way, told with the file that the system names. */
    public static UserError of(UncheckedIOException failure) {
        IOException cause = Objects.requireNonNull(failure.getCause());
        String file = cause instanceof FileSystemException system ? system.getFile() : null;
        String what = file == null ? failure.getMessage() : file;
        return new UserError(
                what + ": " + reason(cause) + "; check permissions and the disk, then run again",
                failure);
    }

    private static String reason(IOException cause) {
        // The message of these two is only the path, which the sentence has already.
        if (cause instanceof NoSuchFileException) {
            return "no such file";
        }
        if (cause instanceof AccessDeniedException) {
            return "permission denied";
        }
        @Nullable String message =
                cause instanceof FileSystemException system
                        ? system.getReason()
                        : cause.getMessage();
        return message == null ? cause.getClass().getSimpleName() : Text.line(message);
    }
}
