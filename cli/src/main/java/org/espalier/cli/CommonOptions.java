package org.espalier.cli;

import org.espalier.core.UserError;
import org.espalier.core.tensor.Torch;
import picocli.CommandLine.Option;

/** Options of every command that works with tensors. */
final class CommonOptions {
    @SuppressWarnings("UnusedVariable") // picocli reads it
    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help.")
    private boolean help;

    @Option(names = "--json", description = "Print the result as one JSON object.")
    private boolean json;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description =
                    "Threads of the tensor work (default: all processors). Part of what a result depends on.")
    private int threads = Runtime.getRuntime().availableProcessors();

    /** The options of a command that was given nothing but the number of threads. */
    static CommonOptions ofThreads(int threads) {
        CommonOptions options = new CommonOptions();
        options.threads = threads;
        return options;
    }

    boolean json() {
        return json;
    }

    int threads() {
        return threads;
    }

    /** Loads libtorch and tells it how many threads to use. */
    void applyThreads() {
        if (threads < 1 || threads > 4096) {
            throw new UserError("--threads must be from 1 to 4096 but is " + threads);
        }
        NativeCache.prepare();
        Torch.threads(threads);
    }
}
