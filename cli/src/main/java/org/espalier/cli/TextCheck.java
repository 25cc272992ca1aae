package org.espalier.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.espalier.audit.language.Evaluation;
import org.espalier.audit.language.Protocol;
import org.espalier.audit.receipt.Quality;
import org.espalier.audit.receipt.Receipt;
import org.espalier.audit.verify.Findings;
import org.espalier.audit.verify.QualityCheck;
import org.espalier.core.UserError;
import org.espalier.core.progress.Progress;
import org.jspecify.annotations.Nullable;

/**
 * Derives again what a receipt says of a text that both models read.
 *
 * @param quality what it says, or null where nothing was measured
 * @param folder the pruned model
 * @param source the dense model, or null if it is not at hand
 * @param text the text, or null if it is not at hand
 * @param sameThreads whether sums run as they did then, so that even the text that the models write is the same
 */
record TextCheck(
        @Nullable Quality quality,
        Path folder,
        @Nullable Path source,
        @Nullable Path text,
        boolean sameThreads) {
    /**
     * Prepares it.
     *
     * @throws UserError if there is a text but the receipt speaks of none
     */
    static TextCheck of(
            Receipt receipt, Path folder, @Nullable Path source, @Nullable Path text, int threads) {
        if (text != null && receipt.quality() == null) {
            throw new UserError(folder + " has a receipt without a perplexity; leave --text out");
        }
        return new TextCheck(receipt.quality(), folder, source, text, receipt.threads() == threads);
    }

    /** The findings with those of the text. */
    Findings extend(Findings findings, Progress progress) {
        if (quality == null) {
            return findings;
        }
        List<String> differences = new ArrayList<>(findings.differences());
        List<String> checked = new ArrayList<>(findings.checked());
        List<String> unchecked = new ArrayList<>(findings.unchecked());
        if (text == null) {
            unchecked.add(
                    "perplexities, divergence and the text that the models write: give "
                            + quality.protocol().text()
                            + " with --text"
                            + (source == null ? ", and the dense model with --source" : ""));
        } else {
            check(quality, text, differences, checked, unchecked, progress);
        }
        return new Findings(differences, findings.added(), checked, unchecked);
    }

    private void check(
            Quality claimed,
            Path file,
            List<String> differences,
            List<String> checked,
            List<String> unchecked,
            Progress progress) {
        Protocol protocol = claimed.protocol();
        try (OpenModel pruned = OpenModel.open(folder)) {
            MeasureText measure =
                    MeasureText.of(
                            pruned,
                            file,
                            protocol.window(),
                            protocol.stride(),
                            protocol.limit() == 0 ? null : protocol.limit(),
                            progress);
            if (!measure.protocol().textSha256().equals(protocol.textSha256())) {
                throw new UserError(file + " is not the text that the receipt was measured on");
            }
            if (!measure.protocol().beginning().equals(protocol.beginning())
                    || !measure.protocol().tail().equals(protocol.tail())) {
                differences.add(
                        file
                                + " is read as "
                                + measure.describe()
                                + " but the receipt says beginning: "
                                + protocol.beginning()
                                + ", tail: "
                                + protocol.tail());
                return;
            }
            if (source == null) {
                Evaluation alone =
                        new Evaluation(
                                Evaluation.perplexity(
                                        pruned.language(), measure.windows(), progress),
                                null,
                                null);
                differences.addAll(QualityCheck.differences(claimed, alone));
                checked.add("the perplexity after, on " + measure.describe());
                unchecked.add(
                        "the perplexity before, the divergence and the text that the models write: give the dense model"
                                + " with --source");
                return;
            }
            try (OpenModel dense = OpenModel.open(source)) {
                Evaluation both =
                        Evaluation.against(
                                pruned.language(), dense.language(), measure.windows(), progress);
                differences.addAll(QualityCheck.differences(claimed, both));
                checked.add(
                        "the perplexities before and after and the divergence, on "
                                + measure.describe());
                for (Quality.Sample sample : claimed.samples()) {
                    written(sample, dense, pruned, differences, checked, unchecked);
                }
            }
        }
    }

    /** Greedy text hangs on every bit, and the bits on the threads. */
    private void written(
            Quality.Sample sample,
            OpenModel dense,
            OpenModel pruned,
            List<String> differences,
            List<String> checked,
            List<String> unchecked) {
        int tokens = QualityMeasurement.SAMPLE_TOKENS;
        boolean same =
                dense.continuation(sample.prompt(), tokens).equals(sample.before())
                        && pruned.continuation(sample.prompt(), tokens).equals(sample.after());
        if (same) {
            checked.add("the text that the models write");
        } else if (sameThreads) {
            differences.add(
                    "the models write something else after the prompt than the receipt says");
        } else {
            unchecked.add(
                    "the text that the models write: it is not the receipt's, as may be with another number of threads");
        }
    }
}
