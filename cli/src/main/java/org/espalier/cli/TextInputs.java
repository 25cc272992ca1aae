package org.espalier.cli;

import java.nio.file.Path;
import java.util.stream.Stream;
import org.espalier.core.UserError;
import org.espalier.core.progress.Progress;
import org.espalier.network.text.TextSource;
import org.jspecify.annotations.Nullable;

/** Texts that the user named: files, pipes, or {@code -} for standard input. */
final class TextInputs {
    private TextInputs() {}

    /** Reads a text and tells what there is to know of how it was read. */
    static TextSource read(Path file, Progress progress) {
        // The launcher knows whether standard input is a terminal.
        if (TextSource.isStandardInput(file)
                && "terminal".equals(System.getProperty("espalier.stdin"))) {
            progress.note(
                    "reading the text from the terminal; Ctrl-D on a line of its own ends it");
        }
        TextSource source = TextSource.read(file);
        source.origin().notes().forEach(progress::note);
        return source;
    }

    /** Refuses to read standard input for two purposes. */
    static void requireOneStandardInput(@Nullable Path... files) {
        long count =
                Stream.of(files)
                        .filter(file -> file != null && TextSource.isStandardInput(file))
                        .count();
        if (count > 1) {
            throw new UserError(
                    "standard input can be read only once: give a file for --calibration or for --text");
        }
    }
}
