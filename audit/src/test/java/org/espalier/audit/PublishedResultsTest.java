package org.espalier.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

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
import org.espalier.prune.LayerOutcome;
import org.espalier.prune.Method;
import org.espalier.prune.PruneOutcome;
import org.espalier.prune.PrunePlan;
import org.espalier.prune.PrunedWeights;
import org.espalier.prune.Pruner;
import org.espalier.prune.RecipeBook;
import org.espalier.prune.calibrate.Calibration;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Whole runs on a real model against figures from an independent implementation of the published algorithms (float64,
 * NumPy, written from the method cards; not part of this project). Protocol: stories260k, calibration on the last 20000
 * characters of the sample text in 8 windows of 256 tokens, perplexity on its first 60000 characters in 24 windows of 512.
 */
class PublishedResultsTest {
    private static final Path DATA = data();

    @ParameterizedTest
    @CsvSource({
        "magnitude, unstructured, 40.78494514723008",
        "magnitude-row, unstructured, 37.762716304846286",
        "magnitude, 2:4, 125.66896332205727",
        "wanda, unstructured, 18.701528389898826",
        "wanda, 2:4, 70.69771813435388",
        "sparsegpt, unstructured, 19.66062821297879",
        "sparsegpt, 2:4, 37.449778600426804"
    })
    void perplexityIsThatOfThePublishedAlgorithm(String name, String pattern, double perplexity)
            throws IOException {
        Path folder = DATA.resolve("lm-stories260k");
        Assumptions.assumeTrue(Files.isDirectory(folder), "needs the model lm-stories260k");
        String sample = Files.readString(DATA.resolve("text-tinystories/sample.txt"));
        Recipe recipe = RecipeBook.shipped().recipe(name);
        if (pattern.equals("2:4")) {
            recipe = recipe.withSelect(new Selection(new Pattern.NofM(2, 4), 0.5));
        }
        try (Checkpoint checkpoint = Checkpoint.open(folder);
                Decoder dense = Decoder.open(checkpoint);
                PrunedWeights weights = new PrunedWeights(new CheckpointWeights(checkpoint));
                Decoder pruned = Decoder.open(checkpoint.config(), weights)) {
            long[] tail =
                    checkpoint.tokenizer().encode(sample.substring(sample.length() - 20000), true);
            PrunePlan plan = PrunePlan.of(Method.of(recipe), dense);
            Calibration calibration = new Calibration(windows(tail, 8, 256));
            PruneOutcome outcome =
                    new Pruner(plan, dense, calibration, _ -> ScalarType.Float, Progress.SILENT)
                            .run(weights);

            assertThat(outcome.layers())
                    .allSatisfy(layer ->
                            assertThat(layer.sparsity())
                                    .isEqualTo(0.5, within(1.0 / layer.linear().columns())));
            assertThat(outcome.layers())
                    .extracting(LayerOutcome::error)
                    .allMatch(error -> error > 0 && error < 1);
            long[] head = checkpoint.tokenizer().encode(sample.substring(0, 60000), true);
            List<Window> windows = new ArrayList<>();
            windows(head, 24, 512).forEach(ids -> windows.addAll(Window.cut(ids, 512, 512, false)));
            double measured =
                    Evaluation.perplexity(LanguageModel.of(pruned), windows, Progress.SILENT)
                            .value();
            assertThat(measured).isCloseTo(perplexity, within(0.003 * perplexity));
        }
    }

    private static List<long[]> windows(long[] ids, int count, int length) {
        List<long[]> windows = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            windows.add(Arrays.copyOfRange(ids, i * length, (i + 1) * length));
        }
        return windows;
    }

    private static Path data() {
        String given = System.getenv("ESPALIER_DATA");
        return given != null
                ? Path.of(given)
                : Path.of(System.getProperty("espalier.root", "..")).resolve("../shared/data");
    }
}
