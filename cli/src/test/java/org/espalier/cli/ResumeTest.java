package org.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Objects;
import org.espalier.audit.receipt.ReceiptFile;
import org.espalier.audit.receipt.Run;
import org.espalier.cli.Runs.Outcome;
import org.espalier.network.family.Families;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the same command, and another one, do with the remains of an interrupted run. */
class ResumeTest {
    @TempDir Path folder;
    private TinyRun run;
    private Path out;

    @BeforeEach
    void makeModel() throws IOException {
        run = TinyRun.in(folder);
        out = folder.resolve("made/out");
    }

    /** Propagated inputs, an allocation that reads the model first, a solver with new weights, new biases. */
    @ParameterizedTest
    @ValueSource(strings = {"wanda", "owl-wanda", "sparsegpt", "wanda-bias"})
    void theSameCommandGoesOnAfterTheLastFinishedBlock(String recipe) throws IOException {
        Path undisturbed = folder.resolve("undisturbed/out");
        assertThat(run.run(undisturbed, recipe).code()).isZero();
        for (int finished = 1; finished <= TinyCheckpoint.BLOCKS; finished++) {
            interrupt(recipe, finished);
            Outcome outcome = run.run(out, recipe);
            assertThat(outcome.code()).as(outcome.err()).isZero();
            assertThat(Notes.resumedAfter(outcome.err())).isEqualTo(finished);
            Folders.assertSame(undisturbed, out, recipe + " after block " + finished);
            DiskFaultTest.remove(out);
        }
    }

    @Test
    void interruptedAgainAndAgainItStillEnds() throws IOException {
        Path undisturbed = folder.resolve("undisturbed/out");
        run.run(undisturbed, "wanda");
        for (int finished = 1; finished <= TinyCheckpoint.BLOCKS; finished++) {
            interrupt("wanda", finished);
        }
        run.run(out, "wanda");
        Folders.assertSame(undisturbed, out, "interrupted at every block");
        Run last = ReceiptFile.read(out).run();
        assertThat(last.phases().getFirst().name()).isEqualTo("before the interruption");
        assertThat(last.seconds())
                .isGreaterThan(last.phases().getFirst().seconds())
                .isGreaterThan(last.layerSeconds().stream().mapToDouble(x -> x).sum());
    }

    @Test
    void anotherCommandIsRefusedWithTheDifferenceNamed() throws IOException {
        interrupt("wanda", 2);
        refused(
                run.run(out, "wanda", "--sparsity", 0.6, "--seed", 7),
                "has finished 2 blocks",
                "recipe.select.sparsity was 0.5 and is now 0.6; seed was 0 and is now 7",
                "--restart");
        refused(run.run(out, "magnitude"), "recipe.name was \"wanda\" and is now \"magnitude\"");
        refused(run.run(out, "wanda", "--samples", 3), "calibration.drawn was");
        refused(run.run(out, "wanda", "--dtype", "float32"), "dtype was \"auto\"");
        refused(run.run(out, "wanda", "--windows", 1), "measure.limit was 0 and is now 1");
        // Sums depend on how many threads share them, so the bytes would not be those of one run.
        refused(run.run(out, "wanda", "--threads", 2), "threads was 1 and is now 2");
        Path shard = run.model().resolve("model-00001-of-00002.safetensors");
        byte[] before = Files.readAllBytes(shard);
        flip(shard, before.length - 1);
        refused(run.run(out, "wanda"), "files.model-00001-of-00002.safetensors was");
        Files.write(shard, before);
        Path config = run.model().resolve("config.json");
        String settings = Files.readString(config);
        Files.writeString(config, settings.replace("1e-5", "1e-6"));
        refused(run.run(out, "wanda"), "files.config.json was");
        Files.writeString(config, settings);
        Path descriptor = run.model().resolve(Families.BESIDE);
        try (InputStream llama =
                Families.class.getResourceAsStream("/org/espalier/network/families/llama.yaml")) {
            Files.copy(Objects.requireNonNull(llama), descriptor);
        }
        refused(run.run(out, "wanda"), "files.espalier-family.yaml");
        Files.delete(descriptor);
        Outcome same = run.run(out, "wanda");
        assertThat(Notes.resumedAfter(same.err())).as(same.err()).isEqualTo(2);
    }

    @Test
    void restartThrowsTheFinishedBlocksAway() throws IOException {
        interrupt("wanda", 3);
        Outcome other = run.run(out, "magnitude", "--restart");
        assertThat(other.code()).as(other.err()).isZero();
        assertThat(other.err()).doesNotContain("resuming");
        Path undisturbed = folder.resolve("undisturbed/out");
        run.run(undisturbed, "magnitude");
        Folders.assertSame(undisturbed, out, "restarted");
    }

    @Test
    void aRunWithoutAFinishedBlockIsInNobodysWay() throws IOException {
        assertThatThrownBy(() -> run.prune(out, "wanda", new Notes(0)))
                .isInstanceOf(Notes.Ended.class);
        assertThat(out.getParent()).isEmptyDirectory();
        assertThat(run.run(out, "magnitude").code()).isZero();
    }

    @Test
    void aBlockThatIsNotOnTheDiskAsItWasNotedIsPrunedAgain() throws IOException {
        Path undisturbed = folder.resolve("undisturbed/out");
        run.run(undisturbed, "wanda");
        interrupt("wanda", 5);
        // The tensors lie by name, so the last byte of the shard is block 5's or the embedding's.
        Path shard = Notes.work(out).resolve("files/model-00001-of-00002.safetensors");
        try (RandomAccessFile file = new RandomAccessFile(shard.toFile(), "rw")) {
            file.setLength(file.length() * 3 / 4);
        }
        Outcome outcome = run.run(out, "wanda");
        assertThat(Notes.resumedAfter(outcome.err())).as(outcome.err()).isBetween(1, 4);
        Folders.assertSame(undisturbed, out, "cut off");
    }

    @Test
    void aDamagedJournalCostsWhatItNoLongerTells() throws IOException {
        Path undisturbed = folder.resolve("undisturbed/out");
        run.run(undisturbed, "wanda");
        interrupt("wanda", 4);
        Path journal = Notes.work(out).resolve("journal.jsonl");
        flip(journal, (int) Files.size(journal) - 1500);
        Outcome outcome = run.run(out, "wanda");
        assertThat(Notes.resumedAfter(outcome.err())).isEqualTo(3);
        Folders.assertSame(undisturbed, out, "damaged journal");
    }

    private void interrupt(String recipe, int finished) throws IOException {
        interrupt(recipe, finished, MemoryBudget.of(null));
    }

    private void interrupt(String recipe, int finished, MemoryBudget memory) throws IOException {
        assertThatThrownBy(() -> run.prune(out, recipe, new Notes(finished), memory))
                .isInstanceOf(Notes.Ended.class);
        assertThat(Notes.finishedBlocks(out)).isEqualTo(finished);
    }

    /** Inputs of pruned blocks, of dense ones, and statistics in groups; in memory and on the disk, in any order. */
    @ParameterizedTest
    @CsvSource({
        "wanda, false, false",
        "owl-wanda, true, true",
        "sparsegpt, false, true",
        "magnitude, false, false",
        "alps, true, false"
    })
    void noFinishedBlockIsRunAgain(String recipe, boolean sparedBefore, boolean sparedAfter)
            throws IOException {
        Path undisturbed = folder.resolve("undisturbed/out");
        run.prune(undisturbed, recipe, new Notes());
        for (int finished = 1; finished <= TinyCheckpoint.BLOCKS; finished++) {
            interrupt(recipe, finished, budget(recipe, sparedBefore));
            Notes notes = new Notes();
            run.prune(out, recipe, notes, budget(recipe, sparedAfter));
            assertThat(notes.resumedAfter()).isEqualTo(finished);
            assertThat(notes.repeated()).isZero();
            Folders.assertSame(undisturbed, out, recipe + " after block " + finished);
            DiskFaultTest.remove(out);
        }
    }

    /** What was done to the file of hidden states, and how many of the three finished blocks are then run again. */
    enum Harm {
        SPOILT(1),
        CUT_OFF(1),
        LENGTHENED(1),
        GONE(1),
        OF_ANOTHER_RUN(1),
        A_FOLDER(1),
        BOTH_GONE(3);

        private final int repeated;

        Harm(int repeated) {
            this.repeated = repeated;
        }
    }

    @ParameterizedTest
    @EnumSource
    void harmedHiddenStatesAreMadeAgain(Harm harm) throws IOException {
        Path undisturbed = folder.resolve("undisturbed/out");
        run.prune(undisturbed, "wanda", new Notes());
        for (boolean spared : new boolean[] {false, true}) {
            interrupt("sparsegpt", 3, budget("sparsegpt", spared));
            Path work = Notes.work(out);
            byte[] others = Files.readAllBytes(work.resolve(statesAfter(3)));
            DiskFaultTest.remove(work);
            interrupt("wanda", 3, budget("wanda", spared));
            Path states = work.resolve(statesAfter(3));
            switch (harm) {
                case SPOILT -> flip(states, 1000);
                case CUT_OFF -> Files.write(states, Arrays.copyOf(others, others.length - 1));
                case LENGTHENED -> Files.write(states, new byte[1], StandardOpenOption.APPEND);
                case GONE -> Files.delete(states);
                case OF_ANOTHER_RUN -> Files.write(states, others);
                case A_FOLDER -> {
                    Files.delete(states);
                    Files.createDirectory(states);
                }
                case BOTH_GONE -> {
                    Files.delete(states);
                    Files.delete(work.resolve(statesAfter(2)));
                }
            }
            Notes notes = new Notes();
            run.prune(out, "wanda", notes, budget("wanda", spared));
            assertThat(notes.resumedAfter()).isEqualTo(3);
            assertThat(notes.repeated()).isEqualTo(harm.repeated);
            assertThat(notes.all())
                    .anyMatch(note -> note.contains("hidden states that the interrupted run kept"));
            Folders.assertSame(undisturbed, out, harm + ", spared " + spared);
            DiskFaultTest.remove(out);
        }
    }

    @Test
    void statesThatCannotBeKeptStopNothing() throws IOException {
        Path undisturbed = folder.resolve("undisturbed/out");
        run.prune(undisturbed, "wanda", new Notes());
        interrupt("wanda", 1);
        // In the way of what leaves the second block, and not to be removed like a file.
        Files.createDirectories(Notes.work(out).resolve(statesAfter(2)).resolve("taken"));
        assertThatThrownBy(() -> run.prune(out, "wanda", new Notes(4)))
                .isInstanceOf(Notes.Ended.class);
        Notes notes = new Notes();
        run.prune(out, "wanda", notes);
        assertThat(notes.resumedAfter()).isEqualTo(4);
        assertThat(notes.repeated()).isEqualTo(3);
        assertThat(notes.all()).anyMatch(note -> note.contains("hidden states are no longer kept"));
        Folders.assertSame(undisturbed, out, "not kept");
    }

    /** The two files take turns. */
    private static String statesAfter(int blocks) {
        return "hidden-states." + blocks % 2;
    }

    private MemoryBudget budget(String recipe, boolean spared) {
        return MemoryBudget.of(spared ? run.tightest(recipe) + "B" : null);
    }

    private static void refused(Outcome outcome, String... reasons) {
        assertThat(outcome.code()).isEqualTo(Main.USER_ERROR);
        assertThat(outcome.err().lines().toList().getLast())
                .startsWith("espalier: ")
                .contains(reasons);
    }

    private static void flip(Path file, int at) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        bytes[at] ^= 1;
        Files.write(file, bytes);
    }
}
