package org.espalier.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import org.espalier.audit.receipt.Run;
import org.jspecify.annotations.Nullable;

/** Takes the times of a run, phase by phase. */
final class Stopwatch {
    private static final Path STATUS = Path.of("/proc/self/status");

    private final Instant started = Instant.now().truncatedTo(ChronoUnit.SECONDS);
    private final long startNanos = System.nanoTime();
    private final List<Run.Phase> phases = new ArrayList<>();
    private long lapNanos = startNanos;
    private double earlier;

    /** Time of this process's run until now. */
    double seconds() {
        return (System.nanoTime() - startNanos) * 1e-9;
    }

    /** Counts the time that interrupted runs took, as a phase of its own. */
    void addEarlier(double seconds) {
        if (seconds > 0) {
            phases.add(new Run.Phase("before the interruption", seconds));
            earlier += seconds;
        }
    }

    /** Ends a phase. */
    void lap(String name) {
        long now = System.nanoTime();
        phases.add(new Run.Phase(name, (now - lapNanos) * 1e-9));
        lapNanos = now;
    }

    /** The run until now. */
    Run run(List<String> command, List<Double> layerSeconds) {
        return new Run(
                started.toString(),
                command,
                earlier + seconds(),
                phases,
                layerSeconds,
                peakMemory(),
                System.getProperty("os.name") + " " + System.getProperty("os.arch"),
                System.getProperty("java.version"),
                Runtime.getRuntime().availableProcessors());
    }

    /** The kernel's high-water mark of the process, native memory included; null where there is none. */
    private static @Nullable Long peakMemory() {
        try {
            for (String line : Files.readAllLines(STATUS)) {
                if (line.startsWith("VmHWM:")) {
                    return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
                }
            }
        } catch (IOException e) {
            // Only Linux has this file.
        }
        return null;
    }
}
