package org.espalier.network;

import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.espalier.network.family.Family;
import org.jspecify.annotations.Nullable;

/** Attention whose queries, keys and values are each made at once. */
final class SelfAttention implements AttentionLayer {
    private final DecoderConfig config;
    private final int index;
    private final BlockMatrices matrices;
    private final @Nullable Rotation rotation;
    private final @Nullable Normalizer queryNorm;
    private final @Nullable Normalizer keyNorm;
    private final Attention attention;

    SelfAttention(
            DecoderConfig config,
            int index,
            BlockMatrices matrices,
            @Nullable Rotation rotation,
            LoadedParameters parameters) {
        this.config = config;
        this.index = index;
        this.matrices = matrices;
        this.rotation = rotation;
        Family family = config.family();
        queryNorm = parameters.optionalNorm(family.names().qNorm(), index);
        keyNorm = parameters.optionalNorm(family.names().kNorm(), index);
        attention = Attention.of(config, index);
    }

    @Override
    public Tensor apply(
            Tensor input, @Nullable InputObserver observer, @Nullable KeyValueCache cache) {
        Projections projected = project(input, observer);
        long start = cache == null ? 0 : cache.length(index);
        Tensor queries = heads(projected.queries(), config.heads(), queryNorm, start, true);
        Tensor keys = heads(projected.keys(), config.kvHeads(), keyNorm, start, true);
        Tensor values = heads(projected.values(), config.kvHeads(), null, start, false);
        if (cache != null) {
            KeyValueCache.Entry all = cache.append(index, keys, values);
            keys = all.keys();
            values = all.values();
        }
        Tensor mixed =
                attention
                        .causal(queries, keys, values)
                        .transpose(1, 2)
                        .reshape(input.size(0), input.size(1), config.heads() * config.headDim());
        matrices.observe(observer, mixed, "o");
        return matrices.multiply("o", mixed);
    }

    /** Each [sequences, tokens, its heads * headDim]. */
    private record Projections(Tensor queries, Tensor keys, Tensor values) {}

    private Projections project(Tensor input, @Nullable InputObserver observer) {
        Family.Stacking stacking = config.family().stacking();
        if (stacking == null) {
            matrices.observe(observer, input, "q", "k", "v");
            return new Projections(
                    matrices.multiply("q", input),
                    matrices.multiply("k", input),
                    matrices.multiply("v", input));
        }
        matrices.observe(observer, input, "qkv");
        Tensor fused = matrices.multiply("qkv", input);
        long width = config.headDim();
        return switch (stacking) {
            case WHOLE -> {
                long queries = config.heads() * width;
                long keys = config.kvHeads() * width;
                yield new Projections(
                        fused.narrow(2, 0, queries),
                        fused.narrow(2, queries, keys),
                        fused.narrow(2, queries + keys, keys));
            }
            case PER_HEAD -> {
                Tensor split =
                        fused.reshape(input.size(0), input.size(1), config.heads(), 3 * width);
                yield new Projections(
                        split.narrow(3, 0, width),
                        split.narrow(3, width, width),
                        split.narrow(3, 2 * width, width));
            }
        };
    }

    /** Splits [sequences, tokens, heads * headDim] into [sequences, heads, tokens, headDim]. */
    private Tensor heads(
            Tensor wide, long heads, @Nullable Normalizer norm, long start, boolean positioned) {
        boolean whole = config.family().wholeWidthNorm();
        Tensor input = norm != null && whole ? norm.apply(wide) : wide;
        Double clip = config.switches().clip();
        if (clip != null) {
            input =
                    input.clamp(
                            new ScalarOptional(new Scalar(-clip)),
                            new ScalarOptional(new Scalar(clip.doubleValue())));
        }
        Tensor split = input.reshape(wide.size(0), wide.size(1), heads, config.headDim());
        if (norm != null && !whole) {
            split = norm.apply(split);
        }
        if (positioned && rotation != null) {
            split = rotation.rotate(split, start);
        }
        return split.transpose(1, 2);
    }
}
