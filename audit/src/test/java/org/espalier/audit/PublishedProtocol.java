package org.espalier.audit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.audit.language.Evaluation;
import org.espalier.audit.language.LanguageModel;
import org.espalier.audit.language.Window;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.core.pattern.Pattern;
import org.espalier.core.progress.Progress;
import org.espalier.core.recipe.Recipe;
import org.espalier.core.recipe.Selection;
import org.espalier.network.CheckpointWeights;
import org.espalier.network.Decoder;
import org.espalier.prune.Method;
import org.espalier.prune.PruneOutcome;
import org.espalier.prune.PrunePlan;
import org.espalier.prune.PrunedWeights;
import org.espalier.prune.Pruner;
import org.espalier.prune.RecipeBook;
import org.espalier.prune.calibrate.Calibration;
import org.junit.jupiter.api.Assumptions;

/**
 * How the figures of {@link PublishedResultsTest} and {@link PublishedAlpsTest} were measured: calibration on the first
 * 8 windows of 256 tokens of one text, perplexity on the first windows of 512 tokens of another, weights kept in float32.
 *
 * @param folder the model
 * @param calibration text whose windows calibrate
 * @param text text that is measured
 * @param windows how many windows of 512 tokens are measured
 */
record PublishedProtocol(Path folder, String calibration, String text, int windows) {
    /** What a run gave. */
    record Result(PruneOutcome outcome, double perplexity) {}

    /** The model that comes with Espalier, on its own texts, 8 windows. */
    static PublishedProtocol hedgerow() throws IOException {
        Path folder = root().resolve("models/hedgerow-3m");
        return new PublishedProtocol(
                folder,
                Files.readString(folder.resolve("calibration.txt")),
                Files.readString(folder.resolve("held-out.txt")),
                8);
    }

    /** stories260k, on the last 20000 characters of the sample text and its first 60000, 24 windows. */
    static PublishedProtocol stories() throws IOException {
        String given = System.getenv("ESPALIER_DATA");
        Path data = given != null ? Path.of(given) : root().resolve("../shared/data");
        Path folder = data.resolve("lm-stories260k");
        Assumptions.assumeTrue(
                Files.isDirectory(folder), "real data is absent: " + folder.getFileName());
        String sample = Files.readString(data.resolve("text-tinystories/sample.txt"));
        return new PublishedProtocol(
                folder, sample.substring(sample.length() - 20000), sample.substring(0, 60000), 24);
    }

    /** A shipped recipe at a sparsity, or at N:M. */
    static Recipe recipe(String name, String amount) {
        Recipe recipe = RecipeBook.shipped().recipe(name);
        return recipe.withSelect(
                amount.equals("2:4")
                        ? new Selection(new Pattern.NofM(2, 4), 0.5)
                        : new Selection(recipe.select().pattern(), Double.parseDouble(amount)));
    }

    /** Prunes by the recipe and measures. */
    Result run(Recipe recipe) {
        try (Checkpoint checkpoint = Checkpoint.open(folder);
                Decoder dense = Decoder.open(checkpoint);
                PrunedWeights weights = new PrunedWeights(new CheckpointWeights(checkpoint));
                Decoder pruned = Decoder.open(checkpoint.config(), weights)) {
            PrunePlan plan = PrunePlan.of(Method.of(recipe), dense);
            long[] ids = checkpoint.tokenizer().encode(calibration, true);
            PruneOutcome outcome =
                    new Pruner(
                                    plan,
                                    dense,
                                    new Calibration(cut(ids, 8, 256)),
                                    _ -> ScalarType.Float,
                                    Progress.SILENT)
                            .run(weights);
            List<Window> measured = new ArrayList<>();
            cut(checkpoint.tokenizer().encode(text, true), windows, 512)
                    .forEach(window -> measured.addAll(Window.cut(window, 512, 512, false)));
            return new Result(
                    outcome,
                    Evaluation.perplexity(LanguageModel.of(pruned), measured, Progress.SILENT)
                            .value());
        }
    }

    private static List<long[]> cut(long[] ids, int count, int length) {
        List<long[]> windows = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            windows.add(Arrays.copyOfRange(ids, i * length, (i + 1) * length));
        }
        return windows;
    }

    private static Path root() {
        return Path.of(System.getProperty("espalier.root", ".."));
    }
}
