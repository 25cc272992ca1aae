package org.espalier.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.espalier.core.UserError;
import org.espalier.core.progress.Progress;
import org.espalier.network.text.TextSource;
import org.espalier.prune.Method;
import org.espalier.prune.RecipeBook;
import org.espalier.prune.memory.MemoryModel;

/** The pruning of a {@link TinyCheckpoint}, as a command line and as a job in this process. */
record TinyRun(Path model, Path calibration, Path text) {
    /** What is planned for a process of its own, which a tiny model adds very little to. */
    private static final long RUNTIME = 512L << 20;

    /** Writes the model and its texts. */
    static TinyRun in(Path folder) throws IOException {
        return new TinyRun(
                TinyCheckpoint.write(folder.resolve("model"), 3),
                TinyCheckpoint.ids(folder.resolve("calibration.jsonl"), 7, 4),
                TinyCheckpoint.ids(folder.resolve("text.jsonl"), 3, 5));
    }

    /** The words of the command, on one thread unless the further options say otherwise. */
    List<String> command(Path out, String recipe, Object... options) {
        List<Object> words = new ArrayList<>(List.of("prune", model, "--recipe", recipe));
        words.addAll(List.of("--calibration", calibration, "--text", text));
        if (!Arrays.asList(options).contains("--threads")) {
            words.addAll(List.of("--threads", 1));
        }
        words.addAll(List.of("--out", out));
        words.addAll(Arrays.asList(options));
        return words.stream().map(Object::toString).toList();
    }

    /** Runs the command in this process. */
    Runs.Outcome run(Path out, String recipe, Object... options) {
        return Runs.run(command(out, recipe, options).toArray());
    }

    /** Runs the same in this process on any file system. */
    void prune(Path out, String recipe, Progress progress) {
        prune(out, recipe, progress, MemoryBudget.of(null));
    }

    /** Runs the same within a limit. */
    void prune(Path out, String recipe, Progress progress, MemoryBudget memory) {
        PruneRequest request =
                new PruneRequest(
                        model,
                        out,
                        Method.of(RecipeBook.shipped().recipe(recipe)),
                        "auto",
                        calibration,
                        null,
                        null,
                        0,
                        text,
                        null,
                        null,
                        null,
                        null,
                        memory,
                        false,
                        List.of());
        new PruneJob(request, CommonOptions.ofThreads(1), progress).run();
    }

    /** The smallest limit that is not refused, up to a few bytes. */
    long tightest(String recipe) {
        long refused = RUNTIME;
        long accepted = RUNTIME + (1 << 20);
        while (accepted - refused > 64) {
            long middle = (refused + accepted) / 2;
            try {
                MemoryBudget.of(middle + "B").plan(memory(recipe));
                accepted = middle;
            } catch (UserError e) {
                refused = middle;
            }
        }
        return accepted;
    }

    private MemoryModel memory(String recipe) {
        try (OpenModel open = OpenModel.open(model)) {
            List<Integer> lengths =
                    TextSource.read(calibration)
                            .sequences(open.encoder(), open.vocabulary())
                            .stream()
                            .map(ids -> ids.length)
                            .toList();
            return MemoryBudget.model(
                    Method.of(RecipeBook.shipped().recipe(recipe)), open.decoder(), lengths, 2);
        }
    }
}
