package org.espalier.cli;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.espalier.audit.language.Divergence;
import org.espalier.audit.language.Evaluation;
import org.espalier.audit.language.Perplexity;
import org.espalier.audit.language.ReadingMemory;
import org.espalier.audit.language.ReadingPlan;
import org.espalier.core.UserError;
import org.espalier.network.text.Documents;
import org.espalier.prune.calibrate.Thrift;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code evaluate}: perplexity of a model on a text, alone or against another model. */
@Command(
        name = "evaluate",
        description = {
            "Measures the perplexity of a model on a text, with its standard error.",
            "The text is tokenized once and cut into windows; every prediction weighs the same."
                    + " With --against, also how far the predictions are from those of another model."
        },
        sortOptions = false)
final class EvaluateCommand implements Callable<Integer> {
    private final Console console;

    @Parameters(
            paramLabel = "MODEL",
            description = "Folder of a Hugging Face checkpoint, or a .gguf file.")
    private Path model = Path.of("");

    @Option(
            names = "--text",
            paramLabel = "FILE",
            description =
                    "Text: .txt, or .jsonl with \"text\" or \"input_ids\" per line (default: the model's"
                            + " held-out.txt).")
    private @Nullable Path text;

    @Option(
            names = "--window",
            paramLabel = "T",
            description = "Tokens read at once (default: what the model reads, at most 2048).")
    private @Nullable Integer window;

    @Option(
            names = "--stride",
            paramLabel = "T",
            description =
                    "Tokens between two windows (default: the window). Where windows overlap, only new tokens"
                            + " count.")
    private @Nullable Integer stride;

    @Option(names = "--windows", paramLabel = "N", description = "Read the first N windows only.")
    private @Nullable Integer windows;

    @Option(
            names = "--against",
            paramLabel = "OTHER",
            description = "A reference with the same vocabulary, usually the dense model.")
    private @Nullable Path against;

    @Mixin private final MemoryOption memory = new MemoryOption();

    @Option(
            names = "--scratch",
            paramLabel = "DIR",
            description =
                    "Folder for the scratch files that --memory may ask for, on a disk (default: the system's"
                            + " folder for temporary files).")
    private Path scratch = Path.of(System.getProperty("java.io.tmpdir"));

    @Mixin private final CommonOptions common = new CommonOptions();

    EvaluateCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        try (OpenModel own = OpenModel.open(model)) {
            common.applyThreads();
            ModelNotes.tell(own, console.progress());
            Path file = text == null ? ModelTexts.heldOut(model) : text;
            MeasureText measure =
                    MeasureText.of(own, file, window, stride, windows, console.progress());
            own.checkpoint().tokenizerNotes().forEach(console.progress()::note);
            if (against == null) {
                ReadingPlan plan = plan(measure, own);
                Perplexity perplexity =
                        Evaluation.perplexity(
                                own.language(thrift(plan, "own")),
                                measure.windows(),
                                console.progress());
                requireNumber(model, perplexity);
                print(measure, new Evaluation(perplexity, null, null));
            } else {
                try (OpenModel other = OpenModel.open(against)) {
                    ModelNotes.tell(other, console.progress());
                    requireSameVocabulary(own, other, measure);
                    ReadingPlan plan = plan(measure, own, other);
                    Evaluation evaluation =
                            Evaluation.against(
                                    own.language(thrift(plan, "own")),
                                    other.language(thrift(plan, "other")),
                                    measure.windows(),
                                    console.progress());
                    requireNumber(model, evaluation.perplexity());
                    requireNumber(against, evaluation.reference());
                    print(measure, evaluation);
                }
            }
        }
        return 0;
    }

    /** Chooses how to stay within the memory; what cannot fit is refused. */
    private ReadingPlan plan(MeasureText measure, OpenModel... models) {
        List<ReadingMemory.Network> networks =
                Arrays.stream(models)
                        .map(open -> ReadingMemory.Network.of(open.decoder()))
                        .toList();
        ReadingPlan plan =
                memory.budget()
                        .plan(ReadingMemory.of(networks, measure.windows()), "a smaller --window");
        if (!plan.measures().isEmpty()) {
            console.progress().note("to spare memory: " + String.join(", ", plan.measures()));
        }
        return plan;
    }

    /** Several evaluations may run at the same time, with two models each. */
    private Thrift thrift(ReadingPlan plan, String role) {
        return plan.thrift(
                scratch.resolve(
                        "espalier-%d-%s.scratch".formatted(ProcessHandle.current().pid(), role)));
    }

    private void requireSameVocabulary(OpenModel own, OpenModel other, MeasureText measure) {
        if (own.vocabulary() != other.vocabulary()) {
            throw new UserError(
                    against
                            + " has a vocabulary of "
                            + other.vocabulary()
                            + " tokens and "
                            + model
                            + " one of "
                            + own.vocabulary()
                            + "; only models that share a vocabulary can be compared");
        }
        if (measure.source() instanceof Documents words && other.checkpoint().hasTokenizer()) {
            long[] here = measure.sequences().getFirst();
            long[] ids =
                    words.sequences(other.encoder(), other.vocabulary(), here.length).getFirst();
            // A long text is encoded only as far as it is needed.
            int length = Math.min(ids.length, here.length);
            if (!Arrays.equals(ids, 0, length, here, 0, length)) {
                throw new UserError(
                        against
                                + " cuts the text into other tokens than "
                                + model
                                + "; they cannot be compared");
            }
        }
        if (measure.protocol().window() > other.positions()) {
            throw new UserError(
                    against
                            + " reads only "
                            + other.positions()
                            + " tokens at once; give a smaller --window");
        }
    }

    private static void requireNumber(Path model, @Nullable Perplexity perplexity) {
        if (perplexity != null && Double.isNaN(perplexity.logLoss())) {
            throw new UserError(
                    model
                            + " gives likelihoods that are not numbers: a tensor of it holds NaN or infinities, or its"
                            + " activations are beyond float32");
        }
    }

    private void print(MeasureText measure, Evaluation evaluation) {
        if (common.json()) {
            Map<String, Object> result = new LinkedHashMap<>();
            result.put("model", model.toString());
            result.put("protocol", measure.protocol());
            result.put("perplexity", evaluation.perplexity());
            if (evaluation.divergence() != null) {
                result.put("against", String.valueOf(against));
                result.put("reference", evaluation.reference());
                result.put("divergence", evaluation.divergence());
            }
            console.json(result);
            return;
        }
        Perplexity perplexity = evaluation.perplexity();
        console.out().println("perplexity   " + Words.perplexity(perplexity));
        Perplexity reference = evaluation.reference();
        Divergence divergence = evaluation.divergence();
        if (reference != null && divergence != null) {
            console.out().println("reference    " + Words.perplexity(reference));
            console.out()
                    .println(
                            Words.format(
                                    "divergence   %.5f ± %.5f nats on average; 95 %% below %.4f, 99 %% below %.4f, worst %.3f",
                                    divergence.mean(),
                                    divergence.standardError(),
                                    divergence.percentile95(),
                                    divergence.percentile99(),
                                    divergence.maximum()));
            console.out()
                    .println(
                            Words.format(
                                    "same token   %.2f ± %.2f %% of the most likely next tokens",
                                    divergence.sameTop() * 100,
                                    divergence.sameTopStandardError() * 100));
        }
        console.out()
                .println(
                        "measured on  "
                                + measure.describe()
                                + ", "
                                + perplexity.predictions()
                                + " predictions");
    }
}
