package org.espalier.network;

import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.tensor.Tensors;
import org.espalier.core.tensor.Torch;
import org.jspecify.annotations.Nullable;

/**
 * Causal softmax attention with grouped queries (arXiv 2305.13245).
 *
 * @param scale factor of the scores
 * @param cap scores s become cap * tanh(s / cap) (Gemma 2, arXiv 2408.00118); null: they stay
 * @param window number of keys that a query sees, its own position included
 * @param slopes for each head how fast its scores sink with the distance (ALiBi, arXiv 2108.12409); null: they do not
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Attention(double scale, @Nullable Double cap, long window, double @Nullable [] slopes) {
    /**
     * Each query attends to the keys up to its own position, of which only the last {@code window} count. The queries
     * are the last positions of the text: with 10 keys and 3 queries they stand at 7, 8 and 9.
     *
     * @param queries [sequences, heads, queries, headDim]
     * @param keys [sequences, kvHeads, keys, headDim]; kvHeads divides heads
     * @param values as {@code keys}
     * @return [sequences, heads, queries, headDim]
     */
    Tensor causal(Tensor queries, Tensor keys, Tensor values) {
        return Tensors.scoped(() -> {
            long asked = queries.size(2);
            long known = keys.size(2);
            if (cap != null) {
                return capped(queries, keys, values, cap);
            }
            TensorOptional mask = new TensorOptional();
            if (slopes != null) {
                Tensor hidden = visible(asked, known).logical_not();
                mask =
                        new TensorOptional(
                                sinking(asked, known, slopes)
                                        .masked_fill(hidden, new Scalar(Double.NEGATIVE_INFINITY)));
            } else if (window < known || (asked > 1 && asked < known)) {
                mask = new TensorOptional(visible(asked, known));
            }
            boolean causal = !mask.has_value() && asked > 1;
            TensorOptional seen = mask;
            return Torch.withinAten(() ->
                    torch.scaled_dot_product_attention(
                            queries,
                            keys,
                            values,
                            seen,
                            0.0,
                            causal,
                            new DoubleOptional(scale),
                            true));
        });
    }

    /** With caps there is no fused kernel: scores are made one after the other. */
    private Tensor capped(Tensor queries, Tensor keys, Tensor values, double limit) {
        long group = queries.size(1) / keys.size(1);
        Tensor[] wide = new Tensor[2];
        Tensor[] narrow = {keys, values};
        for (int i = 0; i < 2; i++) {
            wide[i] =
                    narrow[i]
                            .unsqueeze(2)
                            .expand(keys.size(0), keys.size(1), group, keys.size(2), keys.size(3))
                            .reshape(queries.size(0), queries.size(1), keys.size(2), keys.size(3));
        }
        Tensor scores = torch.matmul(queries, wide[0].transpose(2, 3)).mul(new Scalar(scale));
        Tensor hidden = visible(queries.size(2), keys.size(2)).logical_not();
        Tensor masked =
                cap(scores, limit).masked_fill(hidden, new Scalar(Double.NEGATIVE_INFINITY));
        return torch.matmul(masked.softmax(-1), wide[1]);
    }

    /** Squeezes numbers into (-limit, limit): limit * tanh(x / limit). */
    static Tensor cap(Tensor numbers, double limit) {
        return numbers.div(new Scalar(limit)).tanh().mul(new Scalar(limit));
    }

    /** True where a query may look, [queries, keys]. */
    private Tensor visible(long asked, long known) {
        Tensor all = torch.ones(new long[] {asked, known}, Tensors.options(ScalarType.Bool));
        long diagonal = known - asked;
        Tensor past = all.tril(diagonal);
        return window < known ? past.triu(diagonal - window + 1) : past;
    }

    /** What is added to the scores, [1, heads, queries, keys]: minus slope times distance. */
    private static Tensor sinking(long asked, long known, double[] slopes) {
        float[] added = new float[Math.toIntExact(slopes.length * asked * known)];
        int at = 0;
        for (double slope : slopes) {
            for (long query = known - asked; query < known; query++) {
                for (long key = 0; key < known; key++) {
                    added[at++] = (float) (slope * (key - query));
                }
            }
        }
        return Tensors.floats(added, 1, slopes.length, asked, known);
    }

    /**
     * The slopes of ALiBi: for n heads, n a power of two, 2^(-8 k / n) for k = 1, 2, ..., n; otherwise those of the next
     * lower power, followed by every other one of the next higher.
     */
    static double[] alibiSlopes(int heads) {
        int power = Integer.highestOneBit(heads);
        double[] slopes = new double[heads];
        for (int head = 0; head < heads; head++) {
            slopes[head] =
                    head < power
                            ? Math.pow(2, -8.0 * (head + 1) / power)
                            : Math.pow(2, -4.0 * (2 * (head - power) + 1) / power);
        }
        return slopes;
    }
}
