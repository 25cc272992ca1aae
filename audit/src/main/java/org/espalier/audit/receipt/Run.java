package org.espalier.audit.receipt;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Everything that differs between two runs of the same work: when, how fast, on what machine.
 *
 * @param started begin of the run, ISO 8601 in UTC
 * @param command the command line, without the program's name
 * @param seconds wall time of the whole run
 * @param phases wall time by phase, in order
 * @param layerSeconds time to solve each layer, in the order of the receipt's layers
 * @param peakMemoryBytes most memory that the process held at once, or null where the system does not say
 * @param system operating system and architecture
 * @param java version of the Java runtime
 * @param processors processors that the process could use
 */
public record Run(
        String started,
        List<String> command,
        double seconds,
        List<Phase> phases,
        List<Double> layerSeconds,
        @Nullable Long peakMemoryBytes,
        String system,
        String java,
        int processors) {
    public Run {
        command = List.copyOf(command);
        phases = List.copyOf(phases);
        layerSeconds = List.copyOf(layerSeconds);
    }

    /**
     * A stretch of the run.
     *
     * @param name what was done
     * @param seconds wall time
     */
    public record Phase(String name, double seconds) {}
}
