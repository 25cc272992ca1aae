package org.espalier.audit.language;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.progress.Progress;
import org.espalier.core.tensor.Tensors;
import org.jspecify.annotations.Nullable;

/**
 * Reads windows of a text with a model, and with a reference beside it if there is one. The logits of only one batch are
 * in memory at a time; windows of equal length share a batch.
 *
 * @param perplexity of the model
 * @param reference perplexity of the reference on the same windows, or null
 * @param divergence of the model from the reference, or null
 */
public record Evaluation(
        Perplexity perplexity, @Nullable Perplexity reference, @Nullable Divergence divergence) {
    /** Logits per batch at most (128 MiB): they are the largest tensors of an evaluation. */
    private static final int BATCH_LOGITS = 1 << 25;

    /** Perplexity of one model. */
    public static Perplexity perplexity(
            LanguageModel model, List<Window> windows, Progress progress) {
        return run(model, null, windows, progress).perplexity();
    }

    /** Perplexity of a model and of a reference with the same vocabulary, and how far they are apart. */
    public static Evaluation against(
            LanguageModel model, LanguageModel reference, List<Window> windows, Progress progress) {
        return run(model, reference, windows, progress);
    }

    private static Evaluation run(
            LanguageModel model,
            @Nullable LanguageModel reference,
            List<Window> windows,
            Progress progress) {
        int predictions = windows.stream().mapToInt(Window::predictions).sum();
        Tally tally = new Tally(predictions);
        List<List<Window>> batches = batches(windows, model.vocabulary());
        List<List<long[]>> tokens = batches.stream().map(Evaluation::tokens).toList();
        try (var noGrad = Tensors.noGrad();
                Reading reading = model.read(tokens, progress);
                Reading other = reference == null ? null : reference.read(tokens, progress)) {
            int done = 0;
            String stage = "reading window";
            progress.step(stage, 0, windows.size());
            for (int batch = 0; batch < batches.size(); batch++) {
                try (PointerScope scope = new PointerScope()) {
                    Tensor ids = LanguageModel.ids(tokens.get(batch));
                    Tensor own = logProbabilities(reading, batch);
                    Tensor others = other == null ? null : logProbabilities(other, batch);
                    for (int row = 0; row < batches.get(batch).size(); row++) {
                        tally.add(batches.get(batch).get(row), row, ids, own, others);
                    }
                }
                done += batches.get(batch).size();
                progress.step(stage, done, windows.size());
            }
        }
        Perplexity perplexity = Perplexity.of(tally.losses, windows.size());
        return reference == null
                ? new Evaluation(perplexity, null, null)
                : new Evaluation(
                        perplexity,
                        Perplexity.of(tally.referenceLosses, windows.size()),
                        Divergence.of(tally.divergences, tally.sameTop));
    }

    /** The windows that are read together: neighbours of equal length, as many as their logits allow, at least one. */
    static List<List<Window>> batches(List<Window> windows, int vocabulary) {
        int tokens = BATCH_LOGITS / vocabulary;
        List<List<Window>> batches = new ArrayList<>();
        int start = 0;
        while (start < windows.size()) {
            int length = windows.get(start).tokens().size();
            int most = Math.max(1, tokens / length);
            int end = start + 1;
            while (end < windows.size()
                    && end - start < most
                    && windows.get(end).tokens().size() == length) {
                end++;
            }
            batches.add(windows.subList(start, end));
            start = end;
        }
        return batches;
    }

    private static List<long[]> tokens(List<Window> batch) {
        return batch.stream()
                .map(window -> window.tokens().stream().mapToLong(Long::longValue).toArray())
                .toList();
    }

    private static Tensor logProbabilities(Reading reading, int batch) {
        return Tensors.scoped(
                () -> torch.log_softmax(reading.logits(batch).to(ScalarType.Float), -1));
    }

    /** The single figures of all predictions, in the order of the text. */
    private static final class Tally {
        private final double[] losses;
        private final double[] referenceLosses;
        private final double[] divergences;
        private final double[] sameTop;
        private int count;

        Tally(int predictions) {
            losses = new double[predictions];
            referenceLosses = new double[predictions];
            divergences = new double[predictions];
            sameTop = new double[predictions];
        }

        void add(Window window, int row, Tensor ids, Tensor own, @Nullable Tensor reference) {
            int first = window.firstCounted();
            long predicted = window.predictions();
            Tensor targets = ids.select(0, row).narrow(0, first, predicted).unsqueeze(1);
            Tensor rows = own.select(0, row).narrow(0, first - 1, predicted);
            copy(rows.gather(1, targets).neg(), losses);
            if (reference != null) {
                Tensor others = reference.select(0, row).narrow(0, first - 1, predicted);
                copy(others.gather(1, targets).neg(), referenceLosses);
                copy(divergence(others, rows), divergences);
                copy(top(others).eq(top(rows)), sameTop);
            }
            count += window.predictions();
        }

        /** KL(reference || own) of each row of log-probabilities, never below 0. */
        private static Tensor divergence(Tensor reference, Tensor own) {
            return reference
                    .exp()
                    .mul(reference.sub(own))
                    .sum(new long[] {1}, false, new ScalarTypeOptional(ScalarType.Double))
                    .clamp_min(new Scalar(0.0));
        }

        private static Tensor top(Tensor rows) {
            return rows.argmax(new LongOptional(1), false);
        }

        private void copy(Tensor column, double[] target) {
            double[] values = Tensors.toDoubles(column);
            System.arraycopy(values, 0, target, count, values.length);
        }
    }
}
