package org.espalier.cli;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.espalier.core.progress.LineProgress;
import org.espalier.core.progress.Progress;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * Where a command writes: results to {@code out}, everything else to {@code err}.
 *
 * @param out results
 * @param err progress, remarks, errors
 * @param terminal whether {@code err} is a terminal
 */
record Console(PrintStream out, PrintStream err, boolean terminal) {
    /**
     * The console of the process. The launcher names the real stderr in {@code espalier.stderr}, because the process's
     * own is filtered (see ./espalier), and says in {@code espalier.terminal} whether it is a terminal.
     */
    static Console system() {
        String stderr = System.getProperty("espalier.stderr");
        if (stderr != null) {
            try {
                System.setErr(
                        new PrintStream(
                                new FileOutputStream(stderr, true), true, StandardCharsets.UTF_8));
            } catch (IOException e) {
                // A socket cannot be opened by its name; the filtered stream leads to the same
                // place.
            }
        }
        return new Console(System.out, System.err, Boolean.getBoolean("espalier.terminal"));
    }

    Progress progress() {
        return new LineProgress(err, terminal, System::nanoTime);
    }

    /** Prints one JSON object. */
    void json(Object value) {
        JsonMapper mapper = JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();
        out.println(mapper.writeValueAsString(value));
    }
}
