package org.espalier.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.espalier.core.UserError;
import org.espalier.core.recipe.Protection;
import org.espalier.core.recipe.Recipe;
import org.espalier.prune.Method;
import org.espalier.prune.RecipeBook;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code prune}: the main job. */
@Command(
        name = "prune",
        description = {
            "Removes weights from a model and writes the result as a checkpoint that stock runtimes load, with a"
                    + " receipt (espalier.json) and a report (report.html).",
            "Without MODEL, the model that comes with espalier is pruned."
        },
        sortOptions = false)
final class PruneCommand implements Callable<Integer> {
    private static final String DEFAULT_RECIPE = "wanda";

    /** Windows of the model's own text that are enough for a first impression. */
    private static final int OWN_WINDOWS = 64;

    private final Console console;

    @Spec private @Nullable CommandSpec spec;

    @Parameters(
            paramLabel = "MODEL",
            arity = "0..1",
            description =
                    "Folder of a Hugging Face checkpoint, or a .gguf file (default: the model that comes with espalier).")
    private @Nullable Path model;

    @Option(
            names = {"--out", "-o"},
            paramLabel = "DIR",
            description = "Folder to make (default: a fresh one under pruned/).")
    private @Nullable Path out;

    @Option(
            names = "--recipe",
            paramLabel = "NAME|FILE",
            description = "Method, by name or as a YAML file (default: ${DEFAULT-VALUE}).")
    private String recipe = DEFAULT_RECIPE;

    @Option(
            names = "--sparsity",
            paramLabel = "S",
            description = "Fraction of the weights to remove, in [0, 1) (default: the recipe's).")
    private @Nullable Double sparsity;

    @Option(
            names = "--pattern",
            paramLabel = "P",
            description =
                    "unstructured, N:M such as 2:4 (keep N of every M), or a tile such as 4x4 (default: the"
                            + " recipe's).")
    private @Nullable String pattern;

    @Option(
            names = "--group",
            paramLabel = "G",
            description =
                    "Weights that are compared with each other: row, layer or global (default: the recipe's; N:M is"
                            + " its own group).")
    private @Nullable String group;

    @Option(
            names = "--mixed",
            description =
                    "With N:M and an allocation that is not uniform: give each matrix an N of its own, with the"
                            + " pattern's as their mean. No N:M kernel runs the result.")
    private boolean mixed;

    @Option(
            names = "--protect",
            paramLabel = "PATTERN",
            split = ",",
            description =
                    "Matrices to leave dense, outside the budget: names with * and ?, such as *.down_proj or *.down,"
                            + " or blocks, such as blocks.0-1 (default: the recipe's).")
    private @Nullable List<String> protect;

    @Option(
            names = "--inputs",
            paramLabel = "I",
            description =
                    "propagated (each block is measured on what the pruned blocks before it give) or dense"
                            + " (default: the recipe's).")
    private @Nullable String inputs;

    @Option(
            names = {"--calibration", "--imatrix"},
            paramLabel = "FILE",
            description =
                    "Text that the method measures the model on: .txt, or .jsonl with \"text\" or \"input_ids\""
                            + " per line (default: the model's calibration.txt); or an importance matrix of llama.cpp, .dat or .gguf,"
                            + " for methods that read column norms only.")
    private @Nullable Path calibration;

    @Option(
            names = "--samples",
            paramLabel = "N",
            description = "Calibration sequences (default: the recipe's; of token ids, all).")
    private @Nullable Integer samples;

    @Option(
            names = "--sequence-length",
            paramLabel = "T",
            description =
                    "Tokens per calibration sequence (default: the recipe's, at most what the model reads)."
                            + " Sequences of token ids keep their own length.")
    private @Nullable Integer sequenceLength;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "Seed of all random numbers (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Option(
            names = "--dtype",
            paramLabel = "TYPE",
            description =
                    "auto (as in the file), float32, float16 or bfloat16 (default: ${DEFAULT-VALUE}).")
    private String dtype = "auto";

    @Option(
            names = "--text",
            paramLabel = "FILE",
            description = "Text to measure both models on (default: the model's held-out.txt).")
    private @Nullable Path text;

    @Option(
            names = "--window",
            paramLabel = "T",
            description = "Tokens read at once while measuring; see evaluate.")
    private @Nullable Integer window;

    @Option(
            names = "--stride",
            paramLabel = "T",
            description = "Tokens between two windows; see evaluate.")
    private @Nullable Integer stride;

    @Option(
            names = "--windows",
            paramLabel = "N",
            description =
                    "Measure on the first N windows only (default: all of --text, 64 of the model's own held-out.txt).")
    private @Nullable Integer windows;

    @Option(
            names = "--prompt",
            paramLabel = "TEXT",
            parameterConsumer = Verbatim.class,
            description =
                    "Beginning that both models continue (default: the first words of the text).")
    private @Nullable String prompt;

    @Option(
            names = "--restart",
            description =
                    "Throw away what an interrupted run has finished, instead of going on after it.")
    private boolean restart;

    @Mixin private final MemoryOption memory = new MemoryOption();

    @Mixin private final CommonOptions common = new CommonOptions();

    PruneCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        Path source = model == null ? ModelTexts.shippedModel() : model;
        Recipe resolved =
                Overrides.apply(
                        RecipeBook.shipped().recipe(recipe), sparsity, pattern, group, inputs);
        if (protect != null) {
            resolved = resolved.withProtect(new Protection(protect));
        }
        if (mixed) {
            resolved = Overrides.mixed(resolved);
        }
        Method method = Method.of(resolved);
        PruneRequest request =
                new PruneRequest(
                        source,
                        out == null ? fresh(source, resolved) : out,
                        method,
                        dtype,
                        calibration == null
                                ? ModelTexts.calibration(source).orElse(null)
                                : calibration,
                        samples,
                        sequenceLength,
                        seed,
                        text == null ? ModelTexts.findHeldOut(source).orElse(null) : text,
                        window,
                        stride,
                        windows == null && text == null ? Integer.valueOf(OWN_WINDOWS) : windows,
                        prompt,
                        memory.budget(),
                        restart,
                        arguments());
        PruneJob.Result result = new PruneJob(request, common, console.progress()).run();
        if (common.json()) {
            console.json(result);
        } else {
            PruneSummary.print(console.out(), result);
        }
        return 0;
    }

    /** The command line as it was given, for the receipt. */
    private List<String> arguments() {
        return spec == null
                ? List.of()
                : List.copyOf(spec.root().commandLine().getParseResult().originalArgs());
    }

    /** A folder under pruned/ that does not exist yet, named after what goes into it. */
    private static Path fresh(Path source, Recipe recipe) {
        String name =
                source.toAbsolutePath().normalize().getFileName()
                        + "-"
                        + recipe.name()
                        + "-"
                        + Overrides.label(recipe.select());
        for (int number = 1; number < 100_000; number++) {
            Path folder = Path.of("pruned", number == 1 ? name : name + "-" + number);
            if (!Files.exists(folder)) {
                return folder;
            }
        }
        throw new UserError("pruned/ is full of folders named " + name + "; name one with --out");
    }
}
