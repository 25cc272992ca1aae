package org.espalier.network;

import org.jspecify.annotations.Nullable;

/**
 * Where a decoder departs from the plain one.
 *
 * @param parallelResidual whether attention and MLP read the same hidden states and are added to them together
 * @param normFirst whether norms stand before attention and MLP; otherwise they follow the residual sums, and there is no
 *     final norm
 * @param embeddingScale factor of the embedding
 * @param embeddingWidth width of the embedding and of the head's input; other than the hidden width, projections lead there
 *     and back
 * @param attentionScale factor of the scores of attention
 * @param attentionCap scores s become cap * tanh(s / cap); null: they stay
 * @param logitCap the same for logits
 * @param clip bound of the elements of queries, keys and values; null: there is none
 */
public record Switches(
        boolean parallelResidual,
        boolean normFirst,
        double embeddingScale,
        long embeddingWidth,
        double attentionScale,
        @Nullable Double attentionCap,
        @Nullable Double logitCap,
        @Nullable Double clip) {}
