package org.espalier.cli;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** {@code --memory} of the commands that can stay within a limit. */
final class MemoryOption {
    @Option(
            names = "--memory",
            paramLabel = "LIMIT",
            description =
                    "Most resident memory, such as 4GiB, 6G or 500MB: what is needed is done to stay below, and what"
                            + " cannot fit is refused (default: that of the machine, nothing refused). The result is"
                            + " the same to the bit.")
    private @Nullable String limit;

    MemoryBudget budget() {
        return MemoryBudget.of(limit);
    }
}
