package org.espalier.cli;

import java.nio.file.Path;
import java.util.List;
import org.espalier.prune.Method;
import org.jspecify.annotations.Nullable;

/**
 * What {@code prune} was asked to do.
 *
 * @param source folder of the dense model
 * @param out folder to make
 * @param method the recipe, looked up
 * @param dtype dtype of the result, or {@code auto}
 * @param calibration text for the statistics, or null if there is none
 * @param samples calibration sequences, or null for the recipe's number
 * @param sequenceLength tokens per sequence, or null for the recipe's number
 * @param seed start of all random numbers
 * @param text text to measure on, or null if there is none
 * @param window tokens read at once while measuring, or null
 * @param stride tokens between windows, or null
 * @param windows windows at most, or null
 * @param prompt beginning that both models continue, or null
 * @param memory the memory that the run may take
 * @param restart whether to throw away what an interrupted run has finished
 * @param command the command line, for the receipt
 */
record PruneRequest(
        Path source,
        Path out,
        Method method,
        String dtype,
        @Nullable Path calibration,
        @Nullable Integer samples,
        @Nullable Integer sequenceLength,
        long seed,
        @Nullable Path text,
        @Nullable Integer window,
        @Nullable Integer stride,
        @Nullable Integer windows,
        @Nullable String prompt,
        MemoryBudget memory,
        boolean restart,
        List<String> command) {
    PruneRequest {
        command = List.copyOf(command);
    }
}
