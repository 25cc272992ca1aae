package org.espalier.network;

import java.util.List;
import java.util.Objects;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.tensor.Tensors;
import org.espalier.network.family.Experts;
import org.espalier.network.family.Family;
import org.jspecify.annotations.Nullable;

/**
 * One decoder block with its parameters in memory as float32: norm, causal attention and residual, norm, MLP or
 * experts and residual, or the order that its family has instead. Matrices can be exchanged; the forward pass uses the newest. Gradients flow where the caller has them on,
 * through the block into the tensors of the {@link WeightSource}.
 *
 * <p>It owns its tensors until it is closed. Several threads may run it at the same time, but not while another
 * replaces a matrix.
 */
public final class Block implements AutoCloseable {
    private final DecoderConfig config;
    private final int index;
    private final LoadedParameters parameters;
    private final BlockMatrices matrices;
    private final AttentionLayer attention;
    private final @Nullable FeedForward mlp;
    private final @Nullable ExpertLayer experts;
    private final Normalizer attentionNorm;
    private final Normalizer mlpNorm;
    private final @Nullable Normalizer attentionOutputNorm;
    private final @Nullable Normalizer mlpOutputNorm;

    /** When the matrices of a block are converted to float32. The results are the same to the bit. */
    public enum Loading {
        /** All of them when the block is loaded. */
        WHOLE,
        /**
         * Each at every use, for blocks that are large beside the memory. Replacements are kept in the dtype in which
         * they are given.
         */
        ON_DEMAND
    }

    Block(
            DecoderConfig config,
            int index,
            @Nullable Rotation rotation,
            LoadedParameters parameters,
            Loading loading) {
        this.config = config;
        this.index = index;
        this.parameters = parameters;
        Family.Names names = config.family().names();
        attentionNorm = parameters.norm(names.attentionNorm(), index);
        mlpNorm = parameters.norm(names.mlpNorm(), index);
        attentionOutputNorm = parameters.optionalNorm(names.attentionOutputNorm(), index);
        mlpOutputNorm = parameters.optionalNorm(names.mlpOutputNorm(), index);
        matrices = new BlockMatrices(parameters.roles(index), parameters, loading);
        attention =
                config.latent() == null
                        ? new SelfAttention(config, index, matrices, rotation, parameters)
                        : new LatentAttention(config, index, matrices, rotation, parameters);
        Mixture mixture = config.mixture();
        Experts mixed = config.family().experts();
        experts =
                mixture == null || mixed == null || !config.hasExperts(index)
                        ? null
                        : new ExpertLayer(config, index, mixture, mixed, matrices, parameters);
        mlp = experts != null ? null : new FeedForward(config.activation(), matrices, "");
    }

    /** Index of this block, from 0. */
    public int index() {
        return index;
    }

    /** The prunable matrices in forward order. */
    public List<Linear> linears() {
        return matrices.linears();
    }

    /**
     * The present weight of a matrix, float32 [out_features, in_features], contiguous. It belongs to the block, is freed
     * when the matrix is replaced, and may be a view of a read-only file: never write to it. Loaded on demand, it belongs
     * to the innermost scope of the caller.
     */
    public Tensor weight(Linear linear) {
        return matrices.weight(linear);
    }

    /** The present bias of a matrix, float32 [out_features], or null where it has none. */
    public @Nullable Tensor bias(Linear linear) {
        return matrices.bias(linear);
    }

    /**
     * Exchanges a matrix for all later passes. The block shares the tensors and keeps them alive.
     *
     * @param weight [out_features, in_features]
     * @param bias [out_features], or null for no bias; giving one where there was none is fine
     */
    public void replace(Linear linear, Tensor weight, @Nullable Tensor bias) {
        matrices.replace(linear, weight, bias);
    }

    /**
     * Runs the block; every sequence starts at position 0.
     *
     * @param hidden float32 [sequences, tokens, hidden], left unchanged
     * @param observer told of the input of each matrix, or null
     * @return the same shape
     */
    public Tensor forward(Tensor hidden, @Nullable InputObserver observer) {
        return forward(hidden, observer, null);
    }

    /**
     * Runs the block on tokens that follow those in the cache, and adds them to it.
     *
     * @param hidden float32 [sequences, tokens, hidden], left unchanged
     * @param observer told of the input of each matrix, or null
     * @param cache what the block has seen so far; null: nothing, and nothing is kept
     * @return the same shape
     */
    public Tensor forward(
            Tensor hidden, @Nullable InputObserver observer, @Nullable KeyValueCache cache) {
        Switches switches = config.switches();
        return Tensors.scoped(() -> {
            if (!switches.normFirst()) {
                Tensor sum = hidden.add(attention.apply(hidden, observer, cache));
                Tensor attended = attentionNorm.apply(sum);
                return mlpNorm.apply(attended.add(feed(attended, observer)));
            }
            // Scopes of their own: the intermediate results of the one are gone before those of
            // the other come.
            Tensor heard =
                    Tensors.scoped(() ->
                            then(
                                    attentionOutputNorm,
                                    attention.apply(attentionNorm.apply(hidden), observer, cache)));
            if (switches.parallelResidual()) {
                Tensor fed =
                        Tensors.scoped(
                                () -> then(mlpOutputNorm, feed(mlpNorm.apply(hidden), observer)));
                return hidden.add(heard).add(fed);
            }
            Tensor attended = hidden.add(heard);
            return attended.add(
                    Tensors.scoped(
                            () -> then(mlpOutputNorm, feed(mlpNorm.apply(attended), observer))));
        });
    }

    private Tensor feed(Tensor input, @Nullable InputObserver observer) {
        if (experts != null) {
            return experts.apply(input, observer);
        }
        return Objects.requireNonNull(mlp).apply(input, observer);
    }

    private static Tensor then(@Nullable Normalizer norm, Tensor input) {
        return norm == null ? input : norm.apply(input);
    }

    @Override
    public void close() {
        matrices.close();
        parameters.close();
    }
}
