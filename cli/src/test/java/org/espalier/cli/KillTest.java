package org.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * Kills real runs with SIGKILL at random moments and starts them again until they end; bench/kill-test asks for more
 * kills than the suite has time for.
 */
@EnabledOnOs({OS.LINUX, OS.MAC})
class KillTest {
    private static final int KILLS = Integer.getInteger("espalier.kills", 24);
    private static final long SEED = Long.getLong("espalier.seed", System.nanoTime());

    private static final long SHORTEST_SPAN = 50;
    private static final long DEADLINE_SECONDS = 120;

    @TempDir Path folder;
    private TinyRun run;

    @BeforeEach
    void makeModel() throws IOException {
        run = TinyRun.in(folder);
    }

    @Test
    void killedAtRandomMomentsTheRunEndsWithTheSameBytes() throws Exception {
        System.out.println("KillTest: " + KILLS + " kills, seed " + SEED);
        Random random = new Random(SEED);
        Path undisturbed = folder.resolve("undisturbed/out");
        // Until it writes, a process only starts; kills are to fall into what comes after.
        long start = System.nanoTime();
        Process whole = start(undisturbed, "undisturbed");
        await(whole, undisturbed);
        long begun = millis(start);
        assertThat(whole.waitFor())
                .as(Files.readString(folder.resolve("undisturbed.err")))
                .isZero();
        // Later runs start faster: the span in which kills fall follows what hits.
        long span = Math.max(SHORTEST_SPAN, millis(start) - begun);
        Path out = folder.resolve("out");
        int kills = 0;
        int resumed = 0;
        int wholeRuns = 0;
        while (kills < KILLS) {
            int before = Notes.finishedBlocks(out);
            Process process = start(out, "run");
            boolean killed = killLater(process, begun * 8 / 10 + random.nextLong(span));
            String printed = Files.readString(folder.resolve("run.err"));
            if (killed) {
                kills++;
                span += span / 8;
            } else {
                span = Math.max(SHORTEST_SPAN, span - span / 4);
                assertThat(process.exitValue()).as(printed).isZero();
            }
            if (Notes.resumedAfter(printed) > 0) {
                assertThat(Notes.resumedAfter(printed)).as("seed %d", SEED).isEqualTo(before);
                resumed++;
            }
            if (Files.exists(out)) {
                sweep(out);
                Folders.assertSame(undisturbed, out, "seed " + SEED + ", after kill " + kills);
                DiskFaultTest.remove(out);
                wholeRuns++;
            }
        }
        if (Files.exists(Notes.work(out))) {
            assertThat(start(out, "run").waitFor()).isZero();
            Folders.assertSame(undisturbed, out, "seed " + SEED + ", at the end");
            wholeRuns++;
        }
        System.out.println(
                "KillTest: "
                        + resumed
                        + " runs went on, "
                        + wholeRuns
                        + " ended with the same bytes");
        assertThat(wholeRuns).isPositive();
        assertThat(resumed).as("seed %d", SEED).isPositive();
    }

    @Test
    void aSecondRunIntoTheSameFolderIsRefused() throws Exception {
        Path out = folder.resolve("out");
        Process first = start(out, "first");
        await(first, out);
        // Stopped, it holds the folder for as long as the second one needs.
        signal(first, "STOP");
        Process second = start(out, "second");
        assertThat(second.waitFor()).isEqualTo(Main.USER_ERROR);
        assertThat(Files.readString(folder.resolve("second.err")))
                .contains("another run is writing");
        signal(first, "CONT");
        assertThat(first.waitFor()).as(Files.readString(folder.resolve("first.err"))).isZero();
    }

    /** A run that was killed after its last step has left its work folder; the next command removes it. */
    private void sweep(Path out) throws Exception {
        if (Files.exists(Notes.work(out))) {
            assertThat(start(out, "sweep").waitFor()).isEqualTo(Main.USER_ERROR);
            assertThat(Files.readString(folder.resolve("sweep.err")))
                    .contains("exists and is not empty");
        }
    }

    /** Kills a process after some time; whether it was still alive then. */
    private static boolean killLater(Process process, long millis) throws Exception {
        if (process.waitFor(millis, TimeUnit.MILLISECONDS)) {
            return false;
        }
        process.destroyForcibly();
        return process.waitFor() != 0;
    }

    private static long millis(long startNanos) {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNanos);
    }

    /** Waits until a run that began anew has its work folder. */
    private static void await(Process process, Path out) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_SECONDS);
        while (process.isAlive() && !Files.exists(Notes.work(out))) {
            assertThat(System.nanoTime()).isLessThan(end);
            Thread.sleep(2);
        }
    }

    private static void signal(Process process, String name) throws Exception {
        new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start().waitFor();
    }

    private Process start(Path out, String name) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto"));
        command.addAll(List.of("--add-modules", "jdk.incubator.vector"));
        command.add("--enable-native-access=ALL-UNNAMED");
        command.addAll(List.of("-cp", System.getProperty("java.class.path")));
        command.add("org.espalier.cli.Main");
        command.addAll(run.command(out, "sparsegpt"));
        return new ProcessBuilder(command)
                .redirectOutput(folder.resolve(name + ".out").toFile())
                .redirectError(folder.resolve(name + ".err").toFile())
                .start();
    }
}
