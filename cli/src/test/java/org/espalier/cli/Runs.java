package org.espalier.cli;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.Assumptions;

/** Runs commands inside the test's own process, and finds the real data. */
final class Runs {
    private Runs() {}

    /**
     * What a command did.
     *
     * @param code exit code
     * @param out its results
     * @param err everything else that it printed
     */
    record Outcome(int code, String out, String err) {}

    static Outcome run(Object... arguments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        Console console =
                new Console(
                        new PrintStream(out, true, StandardCharsets.UTF_8),
                        new PrintStream(err, true, StandardCharsets.UTF_8),
                        false);
        String[] words = new String[arguments.length];
        for (int i = 0; i < words.length; i++) {
            words[i] = arguments[i].toString();
        }
        int code = Main.run(console, words);
        return new Outcome(
                code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    /** The project's root folder. */
    static Path root() {
        return Path.of(Objects.requireNonNullElse(System.getProperty("espalier.root"), ".."))
                .toAbsolutePath()
                .normalize();
    }

    /** A small trained Llama with its tokenizer: stories260k where the real data is, else the shipped model. */
    static Path model() {
        Path stories = inData("lm-stories260k");
        return Files.exists(stories) ? stories : shipped();
    }

    /** A text of the kind that {@link #model} was trained on. */
    static Path text() {
        return Files.exists(inData("lm-stories260k"))
                ? inData("text-tinystories/sample.txt")
                : shipped().resolve("held-out.txt");
    }

    /** The model that comes with Espalier. */
    static Path shipped() {
        return root().resolve("models/hedgerow-3m");
    }

    /** A file or folder of the real data; the test is skipped where it is absent. */
    static Path data(String name) {
        Path found = inData(name);
        Assumptions.assumeTrue(Files.exists(found), "real data is absent: " + name);
        return found;
    }

    private static Path inData(String name) {
        String given = System.getenv("ESPALIER_DATA");
        Path data = given == null ? root().resolve("../shared/data") : Path.of(given);
        return data.resolve(name).normalize();
    }
}
