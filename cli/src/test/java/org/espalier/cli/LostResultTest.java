package org.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A result that did not arrive is never a success. */
class LostResultTest {
    @TempDir Path folder;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "inspect MODEL",
                "inspect MODEL --json",
                "inspect MODEL --plan --recipe magnitude",
                "evaluate MODEL --text TEXT",
                "evaluate MODEL --text TEXT --json",
                "recipes",
                "recipes list --json",
                "recipes show wanda",
                "recipes check wanda",
                "--help",
                "prune --help",
                "--version"
            })
    void isToldInOneLine(String line) throws IOException {
        TinyRun run = TinyRun.in(folder);
        String words =
                line.replace("MODEL", run.model().toString())
                        .replace("TEXT", run.text().toString());
        assertThat(lost(0, words.split(" "))).isEqualTo(Main.USER_ERROR);
        // Also what goes wrong after the first bytes.
        assertThat(lost(7, words.split(" "))).isEqualTo(Main.USER_ERROR);
    }

    @Test
    void whatPruneHasMadeIsThereAllTheSame() throws IOException {
        Path model = TinyCheckpoint.write(folder.resolve("model"), 3);
        Path out = folder.resolve("out");
        String[] words = {
            "prune", model.toString(), "--recipe", "magnitude", "--out", out.toString()
        };
        assertThat(lost(0, words)).isEqualTo(Main.USER_ERROR);
        assertThat(Runs.run("verify", out, "--source", model).code()).isZero();
        String[] missing = {"inspect", folder.resolve("nowhere").toString()};
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        assertThat(Main.run(console(0, err), missing)).isEqualTo(Main.USER_ERROR);
        assertThat(err.toString(StandardCharsets.UTF_8)).contains("nowhere").hasLineCount(1);
    }

    @Test
    void theFullDeviceOfLinuxSaysWhy() throws IOException {
        Path full = Path.of("/dev/full");
        Assumptions.assumeTrue(Files.exists(full), "no /dev/full here");
        try (OutputStream stream = Files.newOutputStream(full);
                ResultStream out = ResultStream.of(stream)) {
            assertThat(out.loss()).isNull();
            out.println("lost");
            assertThat(out.loss()).isEqualTo("No space left on device");
        }
    }

    private int lost(int taken, String... words) {
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int code = Main.run(console(taken, err), words);
        assertThat(err.toString(StandardCharsets.UTF_8).lines().toList().getLast())
                .isEqualTo(
                        "espalier: standard output did not take the whole result (gone);"
                                + " files that were made are complete");
        return code;
    }

    private static Console console(int taken, ByteArrayOutputStream err) {
        return new Console(
                ResultStream.of(new Taking(taken)),
                new PrintStream(err, true, StandardCharsets.UTF_8),
                false);
    }

    /** Takes some bytes and then no more, as a pipe does whose reader ends. */
    private static final class Taking extends OutputStream {
        private int left;

        Taking(int bytes) {
            left = bytes;
        }

        @Override
        public void write(int value) throws IOException {
            if (left-- <= 0) {
                throw new IOException("gone");
            }
        }
    }
}
