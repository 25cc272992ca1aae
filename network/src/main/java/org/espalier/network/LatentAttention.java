package org.espalier.network;

import java.util.Objects;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.espalier.network.family.Family;
import org.jspecify.annotations.Nullable;

/**
 * Multi-head latent attention (arXiv 2405.04434, section 2.1), computed as it is defined: keys and values are made of
 * the short vectors before they are used, and the cache holds them and not the short vectors.
 */
final class LatentAttention implements AttentionLayer {
    /** Both norms of short vectors have it whatever {@code rms_norm_eps} says (transformers, modeling_deepseek_v3). */
    private static final double EPSILON = 1e-6;

    private final DecoderConfig config;
    private final Latent widths;
    private final int index;
    private final BlockMatrices matrices;
    private final Rotation rotation;
    private final @Nullable Normalizer queryNorm;
    private final Normalizer keyValueNorm;
    private final Attention attention;

    LatentAttention(
            DecoderConfig config,
            int index,
            BlockMatrices matrices,
            @Nullable Rotation rotation,
            LoadedParameters parameters) {
        this.config = config;
        this.index = index;
        this.matrices = matrices;
        this.widths = Objects.requireNonNull(config.latent());
        this.rotation = Objects.requireNonNull(rotation);
        Family.Latent names = Objects.requireNonNull(config.family().latent());
        queryNorm =
                widths.queryRank() == 0 ? null : parameters.norm(names.queryNorm(), index, EPSILON);
        keyValueNorm = parameters.norm(names.keyValueNorm(), index, EPSILON);
        attention = Attention.of(config, index);
    }

    @Override
    public Tensor apply(
            Tensor input, @Nullable InputObserver observer, @Nullable KeyValueCache cache) {
        long sequences = input.size(0);
        long tokens = input.size(1);
        long heads = config.heads();
        long plain = widths.plainWidth();
        long rotary = widths.rotaryWidth();
        long start = cache == null ? 0 : cache.length(index);
        matrices.observe(observer, input, queryNorm == null ? "q" : "q_a", "kv_a");
        Tensor compressed = matrices.multiply("kv_a", input);
        Tensor queries = queries(input, observer).reshape(sequences, tokens, heads, plain + rotary);
        Tensor latent = keyValueNorm.apply(compressed.narrow(2, 0, widths.keyValueRank()));
        matrices.observe(observer, latent, "kv_b");
        Tensor expanded =
                matrices.multiply("kv_b", latent)
                        .reshape(sequences, tokens, heads, plain + widths.valueWidth());
        Tensor turnedKey =
                rotate(compressed.narrow(2, widths.keyValueRank(), rotary).unsqueeze(2), start)
                        .expand(sequences, tokens, heads, rotary);
        Tensor turnedQueries = rotate(queries.narrow(3, plain, rotary), start);
        Tensor keys = joined(expanded.narrow(3, 0, plain), turnedKey);
        Tensor values = expanded.narrow(3, plain, widths.valueWidth()).transpose(1, 2);
        if (cache != null) {
            KeyValueCache.Entry all = cache.append(index, keys, values);
            keys = all.keys();
            values = all.values();
        }
        Tensor mixed =
                attention
                        .causal(joined(queries.narrow(3, 0, plain), turnedQueries), keys, values)
                        .transpose(1, 2)
                        .reshape(sequences, tokens, heads * widths.valueWidth());
        matrices.observe(observer, mixed, "o");
        return matrices.multiply("o", mixed);
    }

    private Tensor queries(Tensor input, @Nullable InputObserver observer) {
        if (queryNorm == null) {
            return matrices.multiply("q", input);
        }
        Tensor latent = queryNorm.apply(matrices.multiply("q_a", input));
        matrices.observe(observer, latent, "q_b");
        return matrices.multiply("q_b", latent);
    }

    /** Neighbouring channels are first moved apart, so that the halves are paired: scores do not depend on the order. */
    private Tensor rotate(Tensor input, long start) {
        long pairs = widths.rotaryWidth() / 2;
        Tensor halves =
                widths.interleaved()
                        ? input.reshape(input.size(0), input.size(1), input.size(2), pairs, 2)
                                .transpose(3, 4)
                                .reshape(input.size(0), input.size(1), input.size(2), 2 * pairs)
                        : input;
        return rotation.rotate(halves, start);
    }

    /** [sequences, tokens, heads, ...] twice to [sequences, heads, tokens, headDim]. */
    private static Tensor joined(Tensor plain, Tensor turned) {
        return torch.cat(new TensorVector(plain, turned), -1).transpose(1, 2);
    }
}
