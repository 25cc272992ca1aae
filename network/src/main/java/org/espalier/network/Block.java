package org.espalier.network;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.tensor.Tensors;
import org.espalier.network.family.Family;
import org.jspecify.annotations.Nullable;

/**
 * One decoder block with its parameters in memory as float32: norm, causal attention and residual, norm, MLP and
 * residual. Matrices can be exchanged; the forward pass uses the newest. Gradients flow where the caller has them on,
 * through the block into the tensors of the {@link WeightSource}.
 *
 * <p>It owns its tensors until it is closed. Several threads may run it at the same time, but not while another
 * replaces a matrix.
 */
public final class Block implements AutoCloseable {
    private final DecoderConfig config;
    private final int index;
    private final List<Linear> linears;
    private final @Nullable RotaryTable rotary;
    private final LoadedParameters parameters;
    private final Map<String, Tensor> weights = new HashMap<>();
    private final Map<String, Tensor> biases = new HashMap<>();
    private final List<Tensor> replacements = new ArrayList<>();
    private final Normalizer attentionNorm;
    private final Normalizer mlpNorm;
    private final @Nullable Normalizer queryNorm;
    private final @Nullable Normalizer keyNorm;

    Block(
            DecoderConfig config,
            int index,
            List<Linear> linears,
            @Nullable RotaryTable rotary,
            LoadedParameters parameters) {
        this.config = config;
        this.index = index;
        this.linears = linears;
        this.rotary = rotary;
        this.parameters = parameters;
        Family.Names names = config.family().names();
        attentionNorm = parameters.norm(names.attentionNorm(), index);
        mlpNorm = parameters.norm(names.mlpNorm(), index);
        queryNorm = parameters.headNorm(names.qNorm(), index);
        keyNorm = parameters.headNorm(names.kNorm(), index);
        for (Linear linear : linears) {
            weights.put(linear.kind(), parameters.weight(linear));
            Tensor bias = parameters.bias(linear);
            if (bias != null) {
                biases.put(linear.kind(), bias);
            }
        }
    }

    /** Index of this block, from 0. */
    public int index() {
        return index;
    }

    /** The prunable matrices in forward order. */
    public List<Linear> linears() {
        return linears;
    }

    /**
     * The present weight of a matrix, float32 [out_features, in_features], contiguous. It belongs to the block and may
     * be a view of a read-only file: never write to it.
     */
    public Tensor weight(Linear linear) {
        Tensor weight = weights.get(linear.kind());
        if (weight == null || !linears.contains(linear)) {
            throw new IllegalArgumentException(linear.name() + " is not in block " + index);
        }
        return weight;
    }

    /** The present bias of a matrix, float32 [out_features], or null where it has none. */
    public @Nullable Tensor bias(Linear linear) {
        weight(linear);
        return biases.get(linear.kind());
    }

    /**
     * Exchanges a matrix for all later passes. The block shares the tensors and keeps them alive.
     *
     * @param weight [out_features, in_features]
     * @param bias [out_features], or null for no bias; giving one where there was none is fine
     */
    public void replace(Linear linear, Tensor weight, @Nullable Tensor bias) {
        requireShape(linear, weight, linear.rows(), linear.columns());
        weight(linear);
        try (PointerScope scope = new PointerScope()) {
            weights.put(linear.kind(), adopt(weight));
            if (bias == null) {
                biases.remove(linear.kind());
            } else {
                requireShape(linear, bias, linear.rows());
                biases.put(linear.kind(), adopt(bias));
            }
        }
    }

    private Tensor adopt(Tensor tensor) {
        // contiguous() and to() hand out new handles, so the caller may close the one that was
        // given.
        Tensor mine = Tensors.own(tensor.to(ScalarType.Float).contiguous());
        replacements.add(mine);
        return mine;
    }

    private static void requireShape(Linear linear, Tensor tensor, long... shape) {
        if (!Arrays.equals(Tensors.shape(tensor), shape)) {
            throw new IllegalArgumentException(
                    linear.name()
                            + " takes "
                            + Arrays.toString(shape)
                            + " but was given "
                            + Tensors.describe(tensor));
        }
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
        return Tensors.scoped(() -> {
            Tensor attended = hidden.add(attention(attentionNorm.apply(hidden), observer, cache));
            return attended.add(mlp(mlpNorm.apply(attended), observer));
        });
    }

    private Tensor attention(
            Tensor input, @Nullable InputObserver observer, @Nullable KeyValueCache cache) {
        Tensor queries;
        Tensor keys;
        Tensor values;
        if (weights.containsKey("qkv")) {
            observe(observer, input, "qkv");
            long width = config.kvHeads() * config.headDim();
            long rest = config.heads() * config.headDim();
            Tensor fused = multiply("qkv", input);
            queries = fused.narrow(2, 0, rest);
            keys = fused.narrow(2, rest, width);
            values = fused.narrow(2, rest + width, width);
        } else {
            observe(observer, input, "q", "k", "v");
            queries = multiply("q", input);
            keys = multiply("k", input);
            values = multiply("v", input);
        }
        long start = cache == null ? 0 : cache.length(index);
        queries = heads(queries, config.heads(), queryNorm, start, true);
        keys = heads(keys, config.kvHeads(), keyNorm, start, true);
        values = heads(values, config.kvHeads(), null, start, false);
        if (cache != null) {
            KeyValueCache.Entry all = cache.append(index, keys, values);
            keys = all.keys();
            values = all.values();
        }
        Tensor mixed =
                Attention.causal(queries, keys, values, config.windows().get(index))
                        .transpose(1, 2)
                        .reshape(input.size(0), input.size(1), config.heads() * config.headDim());
        observe(observer, mixed, "o");
        return multiply("o", mixed);
    }

    /** Splits [sequences, tokens, heads * headDim] into [sequences, heads, tokens, headDim]. */
    private Tensor heads(
            Tensor wide, long heads, @Nullable Normalizer norm, long start, boolean positioned) {
        Tensor split = wide.reshape(wide.size(0), wide.size(1), heads, config.headDim());
        if (norm != null) {
            split = norm.apply(split);
        }
        if (positioned && rotary != null) {
            split = rotary.rotate(split, start);
        }
        return split.transpose(1, 2);
    }

    private Tensor mlp(Tensor input, @Nullable InputObserver observer) {
        Tensor inner;
        if (weights.containsKey("gate")) {
            observe(observer, input, "gate", "up");
            inner = config.activation().apply(multiply("gate", input)).mul(multiply("up", input));
        } else {
            observe(observer, input, "up");
            inner = config.activation().apply(multiply("up", input));
        }
        observe(observer, inner, "down");
        return multiply("down", inner);
    }

    private void observe(@Nullable InputObserver observer, Tensor input, String... kinds) {
        if (observer != null) {
            List<String> wanted = List.of(kinds);
            observer.input(
                    linears.stream().filter(linear -> wanted.contains(linear.kind())).toList(),
                    input);
        }
    }

    private Tensor multiply(String kind, Tensor input) {
        Tensor weight = weights.get(kind);
        if (weight == null) {
            throw new IllegalStateException("block " + index + " has no matrix " + kind);
        }
        Tensor bias = biases.get(kind);
        return torch.linear(
                input, weight, bias == null ? new TensorOptional() : new TensorOptional(bias));
    }

    @Override
    public void close() {
        parameters.close();
        replacements.forEach(Tensor::close);
        replacements.clear();
        weights.clear();
        biases.clear();
    }
}
