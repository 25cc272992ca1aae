package org.espalier.network;

import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.tensor.Tensors;

/** Causal softmax attention with grouped queries (arXiv 2305.13245) and an optional sliding window. */
public final class Attention {
    private Attention() {}

    /**
     * Each query attends to the keys up to its own position, of which only the last {@code window} count. The queries
     * are the last positions of the text: with 10 keys and 3 queries they stand at 7, 8 and 9.
     *
     * @param queries [sequences, heads, queries, headDim]
     * @param keys [sequences, kvHeads, keys, headDim]; kvHeads divides heads
     * @param values as {@code keys}
     * @param window number of keys that a query sees, its own position included
     * @return [sequences, heads, queries, headDim]
     */
    public static Tensor causal(Tensor queries, Tensor keys, Tensor values, long window) {
        return Tensors.scoped(() -> {
            long asked = queries.size(2);
            long known = keys.size(2);
            boolean windowed = window < known;
            TensorOptional mask = new TensorOptional();
            if (windowed || (asked > 1 && asked < known)) {
                mask = new TensorOptional(mask(asked, known, window));
            }
            boolean causal = !mask.has_value() && asked > 1;
            return torch.scaled_dot_product_attention(
                    queries, keys, values, mask, 0.0, causal, new DoubleOptional(), true);
        });
    }

    /** True where a query may look, [queries, keys]. */
    private static Tensor mask(long asked, long known, long window) {
        Tensor all = torch.ones(new long[] {asked, known}, Tensors.options(ScalarType.Bool));
        long diagonal = known - asked;
        Tensor past = all.tril(diagonal);
        return window < known ? past.triu(diagonal - window + 1) : past;
    }
}
