package org.espalier.network.family;

import org.jspecify.annotations.Nullable;

/**
 * Where sizes and switches are in config.json. Some have a meaning when they are null or absent without a default:
 * {@code kvHeads} = heads, {@code headDim} = hidden / heads, {@code intermediate} = 4 hidden, {@code queryScalar} =
 * headDim; caps and {@code clip} are off. A family that does not name a switch has it as most families do.
 *
 * @param embeddingWidth width of the embedding where projections lead from it to the hidden width and back
 * @param positionOffset number of rows before the vector of position 0 in the table of learned positions
 * @param partialRotary the rotated part of a head, 0 to 1
 * @param originalPositions number of tokens that the model was trained with before its rotation was stretched, where
 *     the map of the rotation does not say it
 * @param localRopeTheta base of the frequencies in blocks with a sliding window, where it is another one
 * @param queryScalar scores are divided by its root
 * @param attentionCap scores s become cap * tanh(s / cap)
 * @param logitCap the same for logits
 * @param clip bound of the elements of queries, keys and values
 * @param parallelResidual whether attention and MLP read the same hidden states
 * @param normFirst whether norms stand before attention and MLP and not after their residual sums
 */
public record Settings(
        Setting vocabulary,
        Setting hidden,
        @Nullable Setting embeddingWidth,
        @Nullable Setting intermediate,
        Setting blocks,
        Setting heads,
        @Nullable Setting kvHeads,
        @Nullable Setting headDim,
        Setting maxPositions,
        long positionOffset,
        Setting epsilon,
        Setting activation,
        @Nullable Setting ropeTheta,
        @Nullable Setting originalPositions,
        @Nullable Setting localRopeTheta,
        @Nullable Setting partialRotary,
        @Nullable Setting queryScalar,
        @Nullable Setting attentionCap,
        @Nullable Setting logitCap,
        @Nullable Setting clip,
        @Nullable Setting parallelResidual,
        @Nullable Setting normFirst,
        Setting tied) {}
