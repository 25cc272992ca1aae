package org.espalier.audit.language;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.progress.Progress;
import org.espalier.core.tensor.Tensors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Against plain Java arithmetic, on a model that predicts from the last token alone. */
class EvaluationTest {
    private static final int VOCABULARY = 7;

    private final PointerScope scope = new PointerScope();

    /** Logits are a row of a table: the row of the last token. */
    private static final class Bigrams implements LanguageModel {
        private final float[] table;

        Bigrams(float[] table) {
            this.table = table;
        }

        @Override
        public int vocabulary() {
            return VOCABULARY;
        }

        @Override
        public Tensor logits(Tensor ids) {
            Tensor rows =
                    Tensors.floats(table, VOCABULARY, VOCABULARY).index_select(0, ids.flatten());
            return rows.view(ids.size(0), ids.size(1), VOCABULARY);
        }

        double logProbability(long last, long next) {
            double sum = 0;
            for (int token = 0; token < VOCABULARY; token++) {
                sum += Math.exp(table[(int) last * VOCABULARY + token]);
            }
            return table[(int) last * VOCABULARY + (int) next] - Math.log(sum);
        }
    }

    @AfterEach
    void free() {
        scope.close();
    }

    @Test
    void perplexityIsTheExponentOfTheMeanLossOverWindowsOfAllLengths() {
        long seed = 20261125;
        Bigrams model = bigrams(seed);
        List<Window> windows = new ArrayList<>();
        for (int length : new int[] {5, 5, 2, 9, 9, 9, 5, 3}) {
            windows.addAll(Window.cut(text(seed + length, length), 9, 9, true));
        }
        List<Double> losses = losses(model, windows);
        double mean = losses.stream().mapToDouble(loss -> loss).average().orElseThrow();
        double squares = losses.stream().mapToDouble(loss -> loss * loss).average().orElseThrow();
        Perplexity perplexity = Evaluation.perplexity(model, windows, Progress.SILENT);
        assertThat(perplexity.predictions()).isEqualTo(losses.size());
        assertThat(perplexity.logLoss()).isCloseTo(mean, within(1e-6));
        assertThat(perplexity.value()).isCloseTo(Math.exp(mean), within(1e-5));
        assertThat(perplexity.standardError())
                .isCloseTo(
                        Math.exp(mean) * Math.sqrt((squares - mean * mean) / (losses.size() - 1)),
                        within(1e-5));
    }

    @Test
    void onlyTheNewTokensOfOverlappingWindowsCount() {
        Bigrams model = bigrams(3);
        long[] text = text(4, 40);
        Perplexity overlapping =
                Evaluation.perplexity(model, Window.cut(text, 8, 3, true), Progress.SILENT);
        Perplexity whole =
                Evaluation.perplexity(model, Window.cut(text, 40, 40, true), Progress.SILENT);
        assertThat(overlapping.predictions()).isEqualTo(39);
        assertThat(overlapping.value()).isCloseTo(whole.value(), within(1e-5));
    }

    @Test
    void aModelDoesNotDivergeFromItself() {
        Bigrams model = bigrams(5);
        Evaluation evaluation =
                Evaluation.against(
                        model, model, Window.cut(text(6, 64), 16, 16, true), Progress.SILENT);
        assertThat(evaluation.divergence())
                .isEqualTo(
                        new Divergence(0, 0, 0, 0, 0, 1, 0, evaluation.perplexity().predictions()));
        assertThat(evaluation.reference()).isEqualTo(evaluation.perplexity());
    }

    @Test
    void divergenceIsThatOfTheModelFromTheReference() {
        Bigrams model = bigrams(7);
        Bigrams reference = bigrams(8);
        List<Window> windows = Window.cut(text(9, 33), 33, 33, true);
        List<Double> expected = new ArrayList<>();
        List<Long> tokens = windows.getFirst().tokens();
        for (int position = 0; position + 1 < tokens.size(); position++) {
            double divergence = 0;
            for (int next = 0; next < VOCABULARY; next++) {
                double p = reference.logProbability(tokens.get(position), next);
                divergence += Math.exp(p) * (p - model.logProbability(tokens.get(position), next));
            }
            expected.add(divergence);
        }
        Divergence divergence =
                Objects.requireNonNull(
                        Evaluation.against(model, reference, windows, Progress.SILENT)
                                .divergence());
        assertThat(divergence.mean())
                .isCloseTo(
                        expected.stream().mapToDouble(d -> d).average().orElseThrow(),
                        within(1e-6));
        List<Double> sorted = expected.stream().sorted().toList();
        assertThat(divergence.maximum()).isCloseTo(sorted.getLast(), within(1e-6));
        assertThat(divergence.percentile95()).isCloseTo(sorted.get(30), within(1e-6));
    }

    private static List<Double> losses(Bigrams model, List<Window> windows) {
        List<Double> losses = new ArrayList<>();
        for (Window window : windows) {
            List<Long> tokens = window.tokens();
            for (int target = window.firstCounted(); target < tokens.size(); target++) {
                losses.add(-model.logProbability(tokens.get(target - 1), tokens.get(target)));
            }
        }
        return losses;
    }

    private static Bigrams bigrams(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] table = new float[VOCABULARY * VOCABULARY];
        for (int i = 0; i < table.length; i++) {
            table[i] = (float) random.nextDouble(-3, 3);
        }
        return new Bigrams(table);
    }

    private static long[] text(long seed, int length) {
        return new SplittableRandom(seed).longs(length, 0, VOCABULARY).toArray();
    }
}
