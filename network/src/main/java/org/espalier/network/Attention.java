package org.espalier.network;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.espalier.core.tensor.Tensors;
import org.espalier.core.tensor.Torch;
import org.espalier.network.family.Family;
import org.jspecify.annotations.Nullable;

/**
 * Causal softmax attention with grouped queries (arXiv 2305.13245). No matrix of all queries and all keys is ever made:
 * the fused kernel makes small pieces of it, and where there is none, some queries at a time go through.
 *
 * @param scale factor of the scores
 * @param cap scores s become cap * tanh(s / cap) (Gemma 2, arXiv 2408.00118); null: they stay
 * @param window number of keys that a query sees, its own position included
 * @param slopes for each head how fast its scores sink with the distance (ALiBi, arXiv 2108.12409); null: they do not
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Attention(double scale, @Nullable Double cap, long window, double @Nullable [] slopes) {
    /** Queries that the fused kernel gets at a time where keys are hidden from some of them. */
    private static final long FUSED_ROWS = 1024;

    /** Keys that the fused kernel looks at together: parts that begin elsewhere would change the last bits. */
    private static final long FUSED_KEYS = 512;

    /** Scores that are made at a time where there is no fused kernel, and the fewest queries that are worth a product. */
    private static final long CAPPED_SCORES = 1L << 22;

    private static final long CAPPED_ROWS = 16;

    /** Matrices of scores that exist together while they are capped. */
    private static final long CAPPED_COPIES = 5;

    /** What the attention of a block does with the queries, keys and values that it makes. */
    static Attention of(DecoderConfig config, int block) {
        boolean alibi = config.family().positions() == Family.Positions.ALIBI;
        return new Attention(
                config.switches().attentionScale(),
                config.switches().attentionCap(),
                config.windows().get(block),
                alibi ? alibiSlopes((int) config.heads()) : null);
    }

    /**
     * Each query attends to the keys up to its own position, of which only the last {@code window} count. The queries
     * are the last positions of the text: with 10 keys and 3 queries they stand at 7, 8 and 9.
     *
     * @param queries [sequences, heads, queries, headDim]
     * @param keys [sequences, kvHeads, keys, headDim]; kvHeads divides heads
     * @param values [sequences, kvHeads, keys, valueDim]
     * @return [sequences, heads, queries, valueDim]
     */
    Tensor causal(Tensor queries, Tensor keys, Tensor values) {
        return Tensors.scoped(() -> {
            long width = values.size(3);
            long common = Math.max(keys.size(3), width);
            // The fused kernel wants one width. Zeros change neither scores nor what is mixed.
            Tensor mixed =
                    mix(padded(queries, common), padded(keys, common), padded(values, common));
            return common == width ? mixed : mixed.narrow(3, 0, width);
        });
    }

    private static Tensor padded(Tensor heads, long width) {
        long missing = width - heads.size(3);
        return missing == 0 ? heads : torch.constant_pad_nd(heads, 0, missing);
    }

    private Tensor mix(Tensor queries, Tensor keys, Tensor values) {
        long asked = queries.size(2);
        long known = keys.size(2);
        boolean uniform = slopes == null && window >= known;
        if (cap == null && uniform && (asked == 1 || asked == known)) {
            return fused(queries, keys, values, new TensorOptional(), asked > 1);
        }
        long rows = rows(queries.size(0) * queries.size(1), asked, known);
        DistanceBias bias = new DistanceBias(window, slopes, rows, known);
        List<Tensor> parts = new ArrayList<>();
        for (long from = 0; from < asked; from += rows) {
            long first = from;
            parts.add(
                    Tensors.scoped(() -> {
                        long count = Math.min(rows, asked - first);
                        long end = known - asked + first + count;
                        long unseen = Math.max(0, end - count + 1 - window);
                        long begin = unseen - unseen % FUSED_KEYS;
                        Tensor backwards = queries.narrow(2, first, count).flip(2);
                        Tensor near = keys.narrow(2, begin, end - begin);
                        Tensor worth = values.narrow(2, begin, end - begin);
                        Tensor added = bias.backwards(count, end - begin);
                        Tensor mixed =
                                cap == null
                                        ? fused(
                                                backwards,
                                                near,
                                                worth,
                                                new TensorOptional(added),
                                                false)
                                        : Torch.withinAten(
                                                () -> capped(backwards, near, worth, added, cap));
                        return mixed.flip(2);
                    }));
        }
        return parts.size() == 1
                ? parts.getFirst()
                : torch.cat(new TensorVector(parts.toArray(Tensor[]::new)), 2);
    }

    /** Queries that go through together. */
    private long rows(long heads, long asked, long known) {
        long most =
                cap == null
                        ? FUSED_ROWS
                        : Math.max(CAPPED_ROWS, CAPPED_SCORES / Math.max(1, heads * known));
        return Math.min(asked, most);
    }

    /**
     * Bytes of scores and of what is added to them that a pass holds at the same time.
     *
     * @param heads of all sequences together
     * @param tokens of the longest sequence
     */
    long scoreBytes(long heads, long tokens) {
        long rows = rows(heads, tokens, tokens);
        boolean uniform = cap == null && slopes == null && window >= tokens;
        // The line of a bias is made in an array of the virtual machine.
        long line = uniform ? 0 : 2L * (slopes == null ? 1 : slopes.length) * (tokens + rows);
        long scores = cap == null ? 0 : CAPPED_COPIES * heads * rows * tokens;
        return Float.BYTES * (line + scores);
    }

    private Tensor fused(
            Tensor queries, Tensor keys, Tensor values, TensorOptional added, boolean causal) {
        return Torch.withinAten(() ->
                torch.scaled_dot_product_attention(
                        queries,
                        keys,
                        values,
                        added,
                        0.0,
                        causal,
                        new DoubleOptional(scale),
                        true));
    }

    /** With caps there is no fused kernel: scores are made one after the other. Heads that share keys go as one. */
    private Tensor capped(Tensor queries, Tensor keys, Tensor values, Tensor added, double limit) {
        long[] alone = Tensors.shape(queries);
        long shared = keys.size(1);
        long[] together = {alone[0], shared, alone[1] / shared * alone[2], alone[3]};
        long[] each = {alone[0], alone[1], alone[2], keys.size(2)};
        Tensor scores =
                Tensors.scoped(() ->
                        torch.matmul(queries.reshape(together), keys.transpose(2, 3))
                                .mul(new Scalar(scale)));
        Tensor squeezed = Tensors.scoped(() -> cap(scores, limit).view(each).add(added));
        Tensor shares = squeezed.softmax(-1).view(together[0], shared, together[2], keys.size(2));
        return torch.matmul(shares, values).view(alone);
    }

    /** Squeezes numbers into (-limit, limit): limit * tanh(x / limit). */
    static Tensor cap(Tensor numbers, double limit) {
        return Tensors.scoped(() -> {
            Tensor squeezed = Tensors.scoped(() -> numbers.div(new Scalar(limit)).tanh());
            return squeezed.mul(new Scalar(limit));
        });
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
