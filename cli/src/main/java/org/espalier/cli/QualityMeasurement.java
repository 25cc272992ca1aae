package org.espalier.cli;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import org.espalier.audit.language.Evaluation;
import org.espalier.audit.language.ReadingMemory;
import org.espalier.audit.language.ReadingPlan;
import org.espalier.audit.receipt.Quality;
import org.espalier.core.UserError;
import org.espalier.core.progress.Progress;
import org.espalier.network.text.Documents;
import org.jspecify.annotations.Nullable;

/**
 * Measures what a pruning did to a model: both models read a text side by side and continue a prompt.
 *
 * @param request what was asked for
 * @param dense the dense model
 * @param text what is read
 * @param plan how the memory is spared
 * @param prompt beginning that both models continue; empty where they write nothing
 */
record QualityMeasurement(
        PruneRequest request, OpenModel dense, MeasureText text, ReadingPlan plan, String prompt) {
    static final int SAMPLE_TOKENS = 60;
    private static final String DENSE_SCRATCH = "hidden-states-dense.scratch";
    private static final String PRUNED_SCRATCH = "hidden-states-pruned.scratch";

    /**
     * Reads the text and chooses how to stay within the memory; null where there is no text.
     *
     * @throws org.espalier.core.UserError where a limit was given and nothing fits
     */
    static @Nullable QualityMeasurement of(
            PruneRequest request, OpenModel dense, Progress progress) {
        if (request.text() == null) {
            String given =
                    request.prompt() != null
                            ? "--prompt"
                            : request.window() != null
                                    ? "--window"
                                    : request.stride() != null ? "--stride" : null;
            if (given != null) {
                throw new UserError(
                        given
                                + " goes with measuring, and "
                                + request.source()
                                + " has no text for that: give one with --text, or leave "
                                + given
                                + " out");
            }
            return null;
        }
        MeasureText text =
                MeasureText.of(
                        dense,
                        request.text(),
                        request.window(),
                        request.stride(),
                        request.windows(),
                        progress);
        // The pruned model has the shapes of the dense one.
        ReadingMemory.Network network = ReadingMemory.Network.of(dense.decoder());
        ReadingPlan plan =
                request.memory()
                        .plan(
                                ReadingMemory.of(List.of(network, network), text.windows()),
                                "leave --text out");
        return new QualityMeasurement(request, dense, text, plan, prompt(request, dense, text));
    }

    /**
     * The beginning that both models are going to continue; empty where they cannot. What is wrong with it would
     * otherwise come out when the pruning is done.
     */
    private static String prompt(PruneRequest request, OpenModel dense, MeasureText text) {
        String given = request.prompt();
        if (!dense.checkpoint().hasTokenizer()) {
            if (given != null) {
                throw new UserError(
                        request.source()
                                + " has no tokenizer for the words of --prompt; leave it out");
            }
            return "";
        }
        String prompt =
                given != null
                        ? given
                        : text.source() instanceof Documents words ? firstWords(words) : "";
        if (prompt.isBlank()) {
            return "";
        }
        long[] ids = dense.checkpoint().tokenizer().encode(prompt, true);
        boolean fits =
                ids.length > 0
                        && ids.length <= dense.positions()
                        && Arrays.stream(ids).allMatch(id -> id < dense.vocabulary());
        if (!fits && given != null) {
            throw new UserError(
                    "--prompt is "
                            + ids.length
                            + " tokens, of which the model reads from 1 to "
                            + dense.positions()
                            + ", each below "
                            + dense.vocabulary()
                            + "; give another one");
        }
        return fits ? prompt : "";
    }

    /**
     * Measures.
     *
     * @param sealed folder of the pruned model
     * @param scratch where a scratch file of this name may be made
     */
    Quality measure(Path sealed, Function<String, Path> scratch, Progress progress) {
        try (OpenModel pruned = OpenModel.open(sealed)) {
            Evaluation evaluation =
                    Evaluation.against(
                            pruned.language(plan.thrift(scratch.apply(PRUNED_SCRATCH))),
                            dense.language(plan.thrift(scratch.apply(DENSE_SCRATCH))),
                            text.windows(),
                            progress);
            return new Quality(
                    text.protocol(),
                    Objects.requireNonNull(evaluation.reference()),
                    evaluation.perplexity(),
                    Objects.requireNonNull(evaluation.divergence()),
                    samples(pruned, progress));
        }
    }

    private List<Quality.Sample> samples(OpenModel pruned, Progress progress) {
        if (prompt.isBlank()
                || !request.memory()
                        .allowsGenerator(
                                dense.decoder().config(), dense.decoder().linears(), progress)) {
            return List.of();
        }
        return List.of(
                new Quality.Sample(
                        prompt,
                        dense.continuation(prompt, SAMPLE_TOKENS),
                        pruned.continuation(prompt, SAMPLE_TOKENS)));
    }

    /** The first few words of the text that the models are measured on. */
    private static String firstWords(Documents words) {
        String[] parts = words.documents().getFirst().strip().split("\\s+", 7);
        return String.join(" ", List.of(parts).subList(0, Math.min(6, parts.length)));
    }
}
