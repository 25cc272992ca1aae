package org.espalier.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.espalier.core.progress.Progress;
import org.espalier.prune.Method;
import org.espalier.prune.RecipeBook;

/** The pruning of a {@link TinyCheckpoint}, as a command line and as a job in this process. */
record TinyRun(Path model, Path calibration, Path text) {
    /** Writes the model and its texts. */
    static TinyRun in(Path folder) throws IOException {
        return new TinyRun(
                TinyCheckpoint.write(folder.resolve("model"), 3),
                TinyCheckpoint.ids(folder.resolve("calibration.jsonl"), 7, 4),
                TinyCheckpoint.ids(folder.resolve("text.jsonl"), 3, 5));
    }

    /** The words of the command, with further options. */
    List<String> command(Path out, String recipe, Object... options) {
        List<Object> words = new ArrayList<>(List.of("prune", model, "--recipe", recipe));
        words.addAll(List.of("--calibration", calibration, "--text", text));
        words.addAll(List.of("--threads", 1, "--out", out));
        words.addAll(Arrays.asList(options));
        return words.stream().map(Object::toString).toList();
    }

    /** Runs the command in this process. */
    Runs.Outcome run(Path out, String recipe, Object... options) {
        return Runs.run(command(out, recipe, options).toArray());
    }

    /** Runs the same in this process on any file system. */
    void prune(Path out, String recipe, Progress progress) {
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
                        MemoryBudget.of(null),
                        false,
                        List.of());
        new PruneJob(request, CommonOptions.ofThreads(1), progress).run();
    }
}
