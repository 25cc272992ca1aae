package org.espalier.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.espalier.checkpoint.gguf.GgufFile;
import org.espalier.checkpoint.gguf.Imatrix;
import org.espalier.core.UserError;
import org.espalier.network.DecoderConfig;
import org.espalier.prune.RecipeBook;
import org.espalier.prune.calibrate.GivenStatistics;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code inspect}: what a checkpoint holds, and how sparse it is. */
@Command(
        name = "inspect",
        description =
                "Shows what a checkpoint holds: family, sizes, dtypes, prunable matrices and their zeros.",
        sortOptions = false)
final class InspectCommand implements Callable<Integer> {
    private final Console console;

    @Parameters(
            paramLabel = "MODEL",
            description = "Folder of a Hugging Face checkpoint, or a .gguf file.")
    private Path model = Path.of("");

    @Option(
            names = "--plan",
            description =
                    "Show instead what pruning the model would take: memory, disk and an estimate of the time.")
    private boolean plan;

    @Option(
            names = "--recipe",
            paramLabel = "NAME|FILE",
            description = "With --plan: the method (default: ${DEFAULT-VALUE}).")
    private String recipe = "wanda";

    @Option(
            names = "--samples",
            paramLabel = "N",
            description = "With --plan: calibration sequences (default: the recipe's).")
    private @Nullable Integer samples;

    @Option(
            names = "--sequence-length",
            paramLabel = "T",
            description = "With --plan: tokens per calibration sequence (default: the recipe's).")
    private @Nullable Integer sequenceLength;

    @Option(
            names = "--imatrix",
            paramLabel = "FILE",
            description =
                    "With --plan: an importance matrix of llama.cpp in place of calibration text.")
    private @Nullable Path imatrix;

    @Option(
            names = "--memory",
            paramLabel = "LIMIT",
            description = "With --plan: the limit that prune would be given.")
    private @Nullable String memory;

    @Mixin private final CommonOptions common = new CommonOptions();

    InspectCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        OpenModel opened;
        try {
            opened = OpenModel.open(model);
        } catch (UserError e) {
            if (plan) {
                throw e;
            }
            if (GgufFile.isNamed(model)) {
                list(FileListing.of(model, String.valueOf(e.getMessage())));
                return 0;
            }
            TensorListing listing = TensorListing.of(model, e);
            if (listing == null) {
                throw e;
            }
            list(listing);
            return 0;
        }
        try (OpenModel open = opened) {
            common.applyThreads();
            ModelNotes.tellAll(open, console.progress());
            if (plan) {
                forecast(open);
                return 0;
            }
            List<MatrixKind> kinds = MatrixKind.of(open, console.progress());
            if (common.json()) {
                console.json(json(open, kinds));
            } else {
                print(open, kinds);
            }
        }
        return 0;
    }

    private void list(FileListing listing) {
        if (common.json()) {
            console.json(listing.json());
        } else {
            listing.print(console);
        }
    }

    private void list(TensorListing listing) {
        if (common.json()) {
            console.json(listing.json());
        } else {
            listing.print(console);
        }
    }

    private void forecast(OpenModel open) {
        requirePositive("--samples", samples);
        requirePositive("--sequence-length", sequenceLength);
        RunForecast forecast =
                RunForecast.of(
                        open,
                        RecipeBook.shipped().recipe(recipe),
                        samples,
                        sequenceLength,
                        isImatrix(open),
                        MemoryBudget.of(memory));
        if (common.json()) {
            console.json(forecast.json());
        } else {
            forecast.print(console.out());
        }
    }

    private boolean isImatrix(OpenModel open) {
        if (imatrix == null) {
            return false;
        }
        if (samples != null || sequenceLength != null) {
            throw new UserError(
                    "nothing is drawn of an importance matrix: leave out --samples and --sequence-length");
        }
        new GivenStatistics(Imatrix.open(imatrix)).requireAll(open.decoder().linears());
        return true;
    }

    private static void requirePositive(String option, @Nullable Integer value) {
        if (value != null && value < 1) {
            throw new UserError(option + " must be at least 1 but is " + value);
        }
    }

    private Map<String, Object> json(OpenModel open, List<MatrixKind> kinds) {
        DecoderConfig config = open.decoder().config();
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("model", model.toString());
        result.put("family", open.decoder().family().modelType());
        result.put("parameters", open.checkpoint().parameters());
        result.put("blocks", config.blocks());
        result.put("hidden", config.hidden());
        result.put("intermediate", config.intermediate());
        result.put("heads", config.heads());
        result.put("kvHeads", config.kvHeads());
        result.put("headDim", config.headDim());
        result.put("vocabulary", config.vocabulary());
        result.put("positions", config.maxPositions());
        result.put("tied", config.tied());
        result.put("tokenizer", TokenizerSummary.of(open));
        result.put("bytesByType", open.checkpoint().bytesByType());
        List<Map<String, Object>> matrices = new ArrayList<>();
        for (MatrixKind kind : kinds) {
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("kind", kind.kind());
            entry.put("matrices", kind.matrices());
            entry.put("shapes", kind.shapes());
            entry.put("weights", kind.weights());
            entry.put("zeros", kind.zeros());
            entry.put("sparsity", kind.sparsity());
            matrices.add(entry);
        }
        result.put("prunable", matrices);
        result.put("files", open.checkpoint().files());
        return result;
    }

    private void print(OpenModel open, List<MatrixKind> kinds) {
        DecoderConfig config = open.decoder().config();
        line("model", open.name() + " (" + open.decoder().family().modelType() + ")");
        line(
                "parameters",
                Words.format(
                        "%,d in %d tensors",
                        open.checkpoint().parameters(), open.checkpoint().tensors().size()));
        line(
                "shape",
                config.blocks()
                        + " blocks, width "
                        + config.hidden()
                        + ", MLP "
                        + config.intermediate()
                        + ", "
                        + config.heads()
                        + " heads of "
                        + config.headDim()
                        + ", "
                        + config.kvHeads()
                        + " of them with keys and values"
                        + (config.tied() ? ", head tied to the embedding" : ""));
        line(
                "vocabulary",
                config.vocabulary() + " tokens, " + config.maxPositions() + " positions");
        open.checkpoint()
                .bytesByType()
                .forEach((type, bytes) -> line("stored as", type + ", " + Words.bytes(bytes)));
        TokenizerSummary tokenizer = TokenizerSummary.of(open);
        line("tokenizer", tokenizer.words());
        tokenizer.notes().forEach(note -> line("", note));
        console.out().println();
        console.out()
                .println(
                        Words.format(
                                "%-12s %8s %14s %12s %10s",
                                "matrix", "count", "shape", "weights", "zeros"));
        long weights = 0;
        long zeros = 0;
        for (MatrixKind kind : kinds) {
            weights += kind.weights();
            zeros += kind.zeros();
            String shape =
                    kind.shapes().size() == 1
                            ? kind.shapes().getFirst().get(0)
                                    + "x"
                                    + kind.shapes().getFirst().get(1)
                            : kind.shapes().size() + " shapes";
            row(kind.kind(), kind.matrices(), shape, kind.weights(), kind.sparsity());
        }
        int matrices = kinds.stream().mapToInt(MatrixKind::matrices).sum();
        row("all", matrices, "", weights, weights == 0 ? 0 : (double) zeros / weights);
    }

    private void line(String name, String value) {
        console.out().println(Words.format("%-12s %s", name, value));
    }

    private void row(String kind, int count, String shape, long weights, double sparsity) {
        console.out()
                .println(
                        Words.format(
                                "%-12s %8d %14s %,12d %10s",
                                kind, count, shape, weights, Words.percent(sparsity)));
    }
}
