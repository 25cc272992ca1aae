package org.espalier.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.audit.language.Evaluation;
import org.espalier.audit.language.LanguageModel;
import org.espalier.audit.language.Perplexity;
import org.espalier.audit.language.Window;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.core.UserError;
import org.espalier.core.pattern.Group;
import org.espalier.core.pattern.Pattern;
import org.espalier.core.progress.Progress;
import org.espalier.core.recipe.Recipe;
import org.espalier.core.recipe.Selection;
import org.espalier.network.CheckpointWeights;
import org.espalier.network.Decoder;
import org.espalier.network.text.TextSource;
import org.espalier.prune.Method;
import org.espalier.prune.PrunePlan;
import org.espalier.prune.PrunedWeights;
import org.espalier.prune.Pruner;
import org.espalier.prune.RecipeBook;
import org.espalier.prune.calibrate.Calibration;

/**
 * Measures every shipped recipe at 50 %, 70 % and 2:4 on small real models and writes the method catalogue
 * ({@code docs/catalogue.md}). Run it with {@code docs/catalogue.sh}.
 */
public final class Catalogue {
    private static final long SEED = 0;
    private static final int WINDOW = 512;
    private static final int WINDOWS = 16;
    private static final int SAMPLES = 16;

    private Catalogue() {}

    /**
     * A model and its texts.
     *
     * @param name how the catalogue calls it
     * @param folder Hugging Face folder
     * @param calibration text to calibrate on
     * @param heldOut text to measure on
     */
    private record Subject(String name, Path folder, Path calibration, Path heldOut) {}

    /**
     * Arguments: the file to write, then for each model NAME FOLDER CALIBRATION HELD-OUT.
     */
    public static void main(String[] arguments) throws IOException {
        if (arguments.length < 5 || arguments.length % 4 != 1) {
            throw new UserError("usage: Catalogue FILE [NAME FOLDER CALIBRATION HELD-OUT]...");
        }
        RecipeBook book = RecipeBook.shipped();
        CatalogueText text = new CatalogueText(WINDOW, WINDOWS, SAMPLES, SEED);
        for (String name : book.names()) {
            text.recipe(book.recipe(name));
        }
        for (int i = 1; i < arguments.length; i += 4) {
            measure(
                    new Subject(
                            arguments[i],
                            Path.of(arguments[i + 1]),
                            Path.of(arguments[i + 2]),
                            Path.of(arguments[i + 3])),
                    book,
                    text);
        }
        Files.writeString(Path.of(arguments[0]), text.render());
    }

    private static void measure(Subject subject, RecipeBook book, CatalogueText text) {
        try (Checkpoint checkpoint = Checkpoint.open(subject.folder());
                Decoder dense = Decoder.open(checkpoint)) {
            int vocabulary = Math.toIntExact(dense.config().vocabulary());
            int longest = Math.toIntExact(dense.config().maxPositions());
            List<long[]> sequences =
                    TextSource.read(subject.calibration())
                            .sample(
                                    words -> checkpoint.tokenizer().encode(words, true),
                                    vocabulary,
                                    new TextSource.Draw(SAMPLES, true, WINDOW, longest, SEED))
                            .sequences();
            List<Window> windows = new ArrayList<>();
            for (long[] ids :
                    TextSource.read(subject.heldOut())
                            .sequences(
                                    words -> checkpoint.tokenizer().encode(words, true),
                                    vocabulary)) {
                windows.addAll(Window.cut(ids, WINDOW, WINDOW, false));
            }
            List<Window> counted = windows.subList(0, Math.min(WINDOWS, windows.size()));
            text.subject(subject.name(), perplexity(dense, counted));
            for (String name : book.names()) {
                List<Perplexity> row = new ArrayList<>();
                for (Selection selection : settings(book.recipe(name))) {
                    Recipe recipe = book.recipe(name).withSelect(selection);
                    row.add(prune(recipe, checkpoint, dense, new Calibration(sequences), counted));
                    System.err.printf(
                            Locale.ROOT,
                            "%s %s %s %.4f%n",
                            subject.name(),
                            name,
                            selection,
                            row.getLast().value());
                }
                text.row(subject.name(), name, row);
            }
        }
    }

    /** 50 % and 70 % in the recipe's own pattern and groups, and 2:4. */
    private static List<Selection> settings(Recipe recipe) {
        Pattern pattern = recipe.select().pattern();
        if (pattern instanceof Pattern.NofM) {
            pattern = new Pattern.Unstructured(new Group.Row());
        }
        return List.of(
                new Selection(pattern, 0.5),
                new Selection(pattern, 0.7),
                new Selection(
                        new Pattern.NofM(2, 4),
                        0.5,
                        !recipe.allocate().method().equals("uniform")));
    }

    private static Perplexity prune(
            Recipe recipe,
            Checkpoint checkpoint,
            Decoder dense,
            Calibration calibration,
            List<Window> windows) {
        PrunePlan plan = PrunePlan.of(Method.of(recipe), dense);
        ScalarType storage = checkpoint.dominantDtype().scalarType().orElse(ScalarType.Float);
        try (PrunedWeights weights = new PrunedWeights(new CheckpointWeights(checkpoint))) {
            new Pruner(plan, dense, calibration, _ -> storage, Progress.SILENT).run(weights);
            try (Decoder pruned =
                    Decoder.open(plan.configAfter(checkpoint.config(), dense.family()), weights)) {
                return perplexity(pruned, windows);
            }
        }
    }

    private static Perplexity perplexity(Decoder decoder, List<Window> windows) {
        return Evaluation.perplexity(LanguageModel.of(decoder), windows, Progress.SILENT);
    }
}
