package org.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.espalier.cli.disk.Disk;
import org.espalier.cli.disk.PowerCut;
import org.espalier.core.UserError;
import org.espalier.core.progress.Progress;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The disk fills up, or the power fails, at every single operation of a run; then the run goes on. */
class DiskFaultTest {
    @TempDir static Path folder;
    private static TinyRun run;

    @BeforeAll
    static void makeModel() throws IOException {
        run = TinyRun.in(folder);
    }

    @Test
    void aFullDiskIsOneLineAndNothingIsLost() throws IOException {
        Path undisturbed = folder.resolve("full/undisturbed");
        long operations = operations(undisturbed);
        Path out = folder.resolve("full/out");
        int kept = 0;
        for (long at = 0; at < operations; at++) {
            Disk disk = new Disk(Disk.Fault.FULL, at, 0);
            try {
                run.prune(disk.path(out), "wanda", Progress.SILENT);
                // What is left to do needs no room.
                assertThat(at).isGreaterThan(operations * 3 / 4);
            } catch (UserError e) {
                String message = String.valueOf(e.getMessage());
                assertThat(message)
                        .as("operation %d", at)
                        .contains("No space left on device")
                        .doesNotContain("\n");
                int finished = Notes.finishedBlocks(out);
                assertThat(message.contains(finished + " of 6 blocks are finished and kept"))
                        .isEqualTo(finished > 0);
                Notes notes = new Notes();
                run.prune(out, "wanda", notes);
                assertThat(notes.resumedAfter()).as("operation %d", at).isEqualTo(finished);
                kept += finished > 0 ? 1 : 0;
            }
            Folders.assertSame(undisturbed, out, "full at operation " + at);
            remove(out);
        }
        assertThat(kept).as("went on after some block").isGreaterThan((int) (operations / 2));
    }

    @Test
    void aPowerCutLosesAtMostTheUnfinishedBlock() throws IOException {
        Path undisturbed = folder.resolve("cut/undisturbed");
        long operations = operations(undisturbed);
        Path out = folder.resolve("cut/out");
        int resumed = 0;
        for (long at = 0; at < operations; at++) {
            Disk disk = new Disk(Disk.Fault.POWER_CUT, at, at);
            assertThatThrownBy(() -> run.prune(disk.path(out), "wanda", Progress.SILENT))
                    .as("operation %d", at)
                    .isInstanceOf(PowerCut.class);
            if (Files.exists(out)) {
                // Under its final name it is whole, and the same command says so.
                assertThatThrownBy(() -> run.prune(out, "wanda", Progress.SILENT))
                        .isInstanceOf(UserError.class)
                        .hasMessageContaining("exists and is not empty");
            } else {
                int finished = Notes.finishedBlocks(out);
                Notes notes = new Notes();
                run.prune(out, "wanda", notes);
                assertThat(notes.resumedAfter()).as("operation %d", at).isEqualTo(finished);
                resumed += finished > 0 ? 1 : 0;
            }
            Folders.assertSame(undisturbed, out, "power cut at operation " + at);
            remove(out);
        }
        assertThat(resumed).isGreaterThan((int) (operations / 2));
    }

    /** How many operations an undisturbed run takes. */
    private static long operations(Path out) {
        Disk disk = new Disk(Disk.Fault.NONE, 0, 0);
        run.prune(disk.path(out), "wanda", Progress.SILENT);
        assertThat(disk.operations()).isGreaterThan(100);
        return disk.operations();
    }

    static void remove(Path out) throws IOException {
        try (Stream<Path> below = Files.walk(out)) {
            List<Path> paths = below.sorted(Comparator.reverseOrder()).toList();
            for (Path path : paths) {
                Files.delete(path);
            }
        }
    }
}
