package org.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.espalier.cli.Runs.Outcome;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** What can be known before the first block is refused before the first block. */
class KnownBeforeTest {
    @TempDir Path folder;
    private TinyRun run;

    @BeforeEach
    void writeTheModel() throws IOException {
        run = TinyRun.in(folder);
    }

    @Test
    void anImportanceMatrixKnowsEveryMatrix() throws IOException {
        refused(
                withImatrix(imatrix("lacking.dat", "blk.5.ffn_down")),
                "lacking.dat says nothing of 'blk.5.ffn_down.weight'");
        refused(withImatrix(imatrix("lacking2.dat", "ffn_down")), "(so for 6 matrices)");
        Outcome plan =
                Runs.run(
                        "inspect",
                        run.model(),
                        "--plan",
                        "--imatrix",
                        imatrix("lacking3.dat", "blk.0.attn_q"));
        // Its twin reads the same input.
        assertThat(plan.code()).as(plan.err()).isZero();
        refusedAtAll(
                Runs.run(
                        "inspect",
                        run.model(),
                        "--plan",
                        "--imatrix",
                        imatrix("lacking4.dat", "blk.0.attn")),
                "says nothing of");
    }

    @Test
    void whatAFileIsIsDecidedByItsContent() throws IOException {
        byte[] whole = Files.readAllBytes(imatrix("whole.dat", "nothing"));
        byte[] cut = Arrays.copyOf(whole, whole.length - 5);
        refused(withImatrix(Files.write(folder.resolve("cut.dat"), cut)), "cut.dat");
        Outcome outcome = withImatrix(imatrix("measured.bin", "nothing"));
        assertThat(outcome.code()).as(outcome.err()).isZero();
        Path ids = Files.copy(run.calibration(), folder.resolve("ids.dat"));
        Outcome text =
                Runs.run(
                        "prune",
                        run.model(),
                        "--recipe",
                        "wanda",
                        "--calibration",
                        ids,
                        "--out",
                        folder.resolve("by-text"));
        assertThat(text.err()).doesNotContain("importance matrix").doesNotContain("entries");
    }

    @Test
    void theWordsOfAPromptAreReadFirst() throws IOException {
        refused(prune("--prompt", "once"), "has no tokenizer for the words of --prompt");
        Files.writeString(run.model().resolve("tokenizer.json"), "{\"model\": 7}");
        refused(prune("--prompt", "once"), "tokenizer.json");
        Files.delete(run.model().resolve("tokenizer.json"));
        List<Object> words =
                List.of(
                        "prune",
                        run.model(),
                        "--recipe",
                        "magnitude",
                        "--out",
                        folder.resolve("o"));
        for (String option : List.of("--prompt", "--window", "--stride")) {
            List<Object> all = new ArrayList<>(words);
            all.addAll(List.of(option, "7"));
            refused(Runs.run(all.toArray()), option + " goes with measuring");
        }
    }

    @Test
    void calibrationThatNobodyReadsIsNamed() {
        Outcome outcome =
                Runs.run(
                        "prune",
                        run.model(),
                        "--recipe",
                        "magnitude",
                        "--calibration",
                        run.calibration(),
                        "--out",
                        folder.resolve("out"));
        assertThat(outcome.code()).isZero();
        assertThat(outcome.err()).contains("calibration.jsonl is left unread");
    }

    @Test
    void aSideFileThatCannotBeReadIsNamed() throws IOException {
        Path secret =
                Files.writeString(
                        Files.createDirectory(run.model().resolve("below")).resolve("notes.txt"),
                        "x");
        Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString("---------"));
        Assumptions.assumeFalse(Files.isReadable(secret), "root reads everything");
        refused(prune(), "cannot read " + secret + ": permission denied");
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void aNameThatIsNotUtf8IsToldInOneLine() throws Exception {
        Process touch =
                new ProcessBuilder(
                                "bash",
                                "-c",
                                "touch \"$1\"/$'notes-\\xff.txt'",
                                "x",
                                run.model().toString())
                        .start();
        Assumptions.assumeTrue(touch.waitFor() == 0, "this disk takes no such name");
        refused(prune(), "whose name is not UTF-8");
    }

    private Outcome prune(Object... options) {
        return run.run(folder.resolve("out"), "magnitude", options);
    }

    private Outcome withImatrix(Path file) {
        return Runs.run(
                "prune",
                run.model(),
                "--recipe",
                "wanda",
                "--imatrix",
                file,
                "--out",
                folder.resolve("out"));
    }

    private void refused(Outcome outcome, String message) {
        refusedAtAll(outcome, message);
        assertThat(outcome.err()).doesNotContain("pruning block");
        assertThat(folder.resolve("out")).doesNotExist();
    }

    private static void refusedAtAll(Outcome outcome, String message) {
        assertThat(outcome.code()).as(outcome.err()).isEqualTo(Main.USER_ERROR);
        assertThat(outcome.err().lines().filter(line -> line.startsWith("espalier: ")))
                .singleElement()
                .asString()
                .contains(message);
    }

    /** An old file of llama.cpp for the tiny model, without the entries whose names contain a word. */
    private Path imatrix(String name, String without) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putInt(0);
        int count = 0;
        for (int block = 0; block < TinyCheckpoint.BLOCKS; block++) {
            for (String kind :
                    List.of("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_down")) {
                String entry = "blk." + block + "." + kind + ".weight";
                if (entry.contains(without)) {
                    continue;
                }
                byte[] letters = entry.getBytes(StandardCharsets.US_ASCII);
                int columns = kind.equals("ffn_down") ? 40 : 24;
                bytes.putInt(letters.length).put(letters).putInt(1).putInt(columns);
                for (int i = 0; i < columns; i++) {
                    bytes.putFloat(1 + i);
                }
                count++;
            }
        }
        bytes.putInt(0, count).flip();
        byte[] all = new byte[bytes.remaining()];
        bytes.get(all);
        return Files.write(folder.resolve(name), all);
    }
}
