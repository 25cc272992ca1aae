package org.espalier.network;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.tensor.Tensors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Attention over texts so long that they go through in parts, against the definition in float64. */
class AttentionTest {
    private static final long SEED = 20261129;
    private static final double TOLERANCE = 3e-6;

    /**
     * What is attended to, and how.
     *
     * @param asked queries, the last positions of {@code known}
     */
    record Case(
            String name,
            int sequences,
            int heads,
            int kvHeads,
            int asked,
            int known,
            int width,
            int valueWidth,
            @Nullable Double cap,
            long window,
            boolean sinking) {
        Attention attention() {
            return new Attention(0.3, cap, window, sinking ? Attention.alibiSlopes(heads) : null);
        }

        @Override
        public String toString() {
            return name;
        }
    }

    static List<Case> cases() {
        long all = DecoderConfig.NO_WINDOW;
        return List.of(
                new Case("causal", 1, 4, 2, 1300, 1300, 8, 8, null, all, false),
                new Case("narrow values", 2, 3, 3, 1100, 1100, 12, 8, null, all, false),
                new Case("wide values", 1, 3, 1, 70, 70, 6, 10, null, all, false),
                new Case("slopes", 2, 3, 3, 2100, 2100, 8, 8, null, all, true),
                new Case("slopes, short", 1, 5, 5, 9, 9, 8, 8, null, all, true),
                new Case("slopes, a few more queries", 1, 3, 3, 5, 700, 8, 8, null, all, true),
                new Case("slopes, one more query", 1, 3, 3, 1, 700, 8, 8, null, all, true),
                new Case("window", 2, 4, 2, 2100, 2100, 8, 8, null, 130, false),
                new Case("window of one", 1, 2, 1, 1030, 1030, 8, 8, null, 1, false),
                new Case("window as long as the text", 1, 2, 1, 50, 50, 8, 8, null, 50, false),
                new Case("window, a few more queries", 1, 4, 2, 40, 1300, 8, 8, null, 33, false),
                new Case("window and slopes", 1, 2, 2, 1200, 1200, 8, 8, null, 600, true),
                new Case("more queries", 1, 4, 2, 40, 1300, 8, 8, null, all, false),
                new Case("cap", 2, 4, 2, 1500, 1500, 8, 8, 2.0, all, false),
                new Case("cap and window", 1, 8, 4, 1501, 1501, 8, 8, 2.0, 100, false),
                new Case("cap, one more query", 1, 4, 2, 1, 90, 8, 8, 2.0, 20, false));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void eachQueryAttendsAsItIsDefined(Case task) {
        Random random = new Random(SEED);
        try (PointerScope scope = new PointerScope();
                AutoGradMode noGrad = Tensors.noGrad()) {
            float[] queries = numbers(random, task, task.heads, task.asked, task.width);
            float[] keys = numbers(random, task, task.kvHeads, task.known, task.width);
            float[] values = numbers(random, task, task.kvHeads, task.known, task.valueWidth);
            Tensor mixed =
                    task.attention()
                            .causal(
                                    tensor(queries, task, task.heads, task.asked, task.width),
                                    tensor(keys, task, task.kvHeads, task.known, task.width),
                                    tensor(
                                            values,
                                            task,
                                            task.kvHeads,
                                            task.known,
                                            task.valueWidth));
            assertThat(Tensors.shape(mixed))
                    .containsExactly(task.sequences, task.heads, task.asked, task.valueWidth);
            float[] found = Tensors.toFloats(mixed.transpose(1, 2));
            for (int draw = 0; draw < 300; draw++) {
                int sequence = random.nextInt(task.sequences);
                int head = random.nextInt(task.heads);
                int query = draw == 0 ? task.asked - 1 : random.nextInt(task.asked);
                double[] wanted = wanted(task, queries, keys, values, sequence, head, query);
                int at = ((sequence * task.asked + query) * task.heads + head) * task.valueWidth;
                for (int i = 0; i < wanted.length; i++) {
                    assertThat((double) found[at + i])
                            .as(
                                    "seed %d, sequence %d, head %d, query %d",
                                    SEED, sequence, head, query)
                            .isCloseTo(wanted[i], org.assertj.core.data.Offset.offset(TOLERANCE));
                }
            }
        }
    }

    /** What exists of the scores at a time grows with the text, not with its square. */
    @Test
    void scoresOfLongTextsAreBounded() {
        for (Case task : cases()) {
            long once = task.attention().scoreBytes(32, 1L << 14);
            long twice = task.attention().scoreBytes(32, 1L << 15);
            assertThat(twice).as(task.name).isBetween(once, 2 * once);
            assertThat(once).as(task.name).isLessThan(256L << 20);
        }
    }

    private static double[] wanted(
            Case task,
            float[] queries,
            float[] keys,
            float[] values,
            int sequence,
            int head,
            int query) {
        int shared = head / (task.heads / task.kvHeads);
        int position = task.known - task.asked + query;
        double slope = task.sinking ? Attention.alibiSlopes(task.heads)[head] : 0;
        double[] mixed = new double[task.valueWidth];
        double sum = 0;
        for (int key = (int) Math.max(0, position + 1 - task.window); key <= position; key++) {
            double score = 0;
            for (int i = 0; i < task.width; i++) {
                score +=
                        (double)
                                        queries[
                                                at(task.heads, task.asked, sequence, head, query)
                                                                * task.width
                                                        + i]
                                * keys[
                                        at(task.kvHeads, task.known, sequence, shared, key)
                                                        * task.width
                                                + i];
            }
            score *= 0.3;
            score = task.cap == null ? score : task.cap * Math.tanh(score / task.cap);
            double weight = Math.exp(score - slope * (position - key));
            sum += weight;
            for (int i = 0; i < task.valueWidth; i++) {
                mixed[i] +=
                        weight
                                * values[
                                        at(task.kvHeads, task.known, sequence, shared, key)
                                                        * task.valueWidth
                                                + i];
            }
        }
        double all = sum;
        return Arrays.stream(mixed).map(x -> x / all).toArray();
    }

    private static int at(int heads, int tokens, int sequence, int head, int token) {
        return (sequence * tokens + token) * heads + head;
    }

    private static float[] numbers(Random random, Case task, int heads, int tokens, int width) {
        float[] values = new float[task.sequences * tokens * heads * width];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    /** As the projections have it: token by token in memory, head by head in shape. */
    private static Tensor tensor(float[] values, Case task, int heads, int tokens, int width) {
        return Tensors.floats(values, task.sequences, tokens, heads, width).transpose(1, 2);
    }
}
