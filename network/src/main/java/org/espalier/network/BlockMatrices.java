package org.espalier.network;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.tensor.Tensors;
import org.jspecify.annotations.Nullable;

/** The prunable matrices of one block with their present weights and biases, found by what they do in the block. */
final class BlockMatrices implements AutoCloseable {
    private final Map<String, Linear> roles;
    private final LoadedParameters parameters;
    private final Block.Loading loading;
    private final List<Linear> linears;
    private final Map<String, Tensor> weights = new HashMap<>();
    private final Map<String, Tensor> biases = new HashMap<>();
    private final List<Tensor> replacements = new ArrayList<>();

    /**
     * @param roles the matrices by what they do, as {@link Layout#roles} names it, in forward order
     * @param parameters owner of the first weights and biases
     * @param loading whether the weights are converted now or at each use
     */
    BlockMatrices(Map<String, Linear> roles, LoadedParameters parameters, Block.Loading loading) {
        this.roles = roles;
        this.parameters = parameters;
        this.loading = loading;
        this.linears = List.copyOf(roles.values());
        for (Linear linear : linears) {
            if (loading == Block.Loading.WHOLE) {
                weights.put(linear.name(), parameters.weight(linear));
            }
            Tensor bias = parameters.bias(linear);
            if (bias != null) {
                biases.put(linear.name(), bias);
            }
        }
    }

    List<Linear> linears() {
        return linears;
    }

    boolean has(String role) {
        return roles.containsKey(role);
    }

    Tensor weight(Linear linear) {
        Tensor weight = weights.get(linear.name());
        if (weight != null) {
            return loading == Block.Loading.WHOLE ? weight : weight.to(ScalarType.Float);
        }
        requireOwn(linear);
        return parameters.passing(linear);
    }

    private void requireOwn(Linear linear) {
        if (!linears.contains(linear)) {
            throw new IllegalArgumentException(linear.name() + " is not in this block");
        }
    }

    @Nullable Tensor bias(Linear linear) {
        requireOwn(linear);
        return biases.get(linear.name());
    }

    void replace(Linear linear, Tensor weight, @Nullable Tensor bias) {
        requireShape(linear, weight, linear.rows(), linear.columns());
        requireOwn(linear);
        try (PointerScope scope = new PointerScope()) {
            Tensor old = weights.put(linear.name(), adopt(weight));
            if (old != null) {
                free(linear, old);
            }
            if (bias == null) {
                biases.remove(linear.name());
            } else {
                requireShape(linear, bias, linear.rows());
                biases.put(linear.name(), adopt(bias));
            }
        }
    }

    /** Whoever still computes with the old weight has a handle of its own. */
    private void free(Linear linear, Tensor old) {
        if (replacements.remove(old)) {
            old.close();
        } else {
            parameters.free(linear, old);
        }
    }

    private Tensor adopt(Tensor tensor) {
        // contiguous() and to() hand out new handles, so the caller may close the one that was
        // given.
        Tensor plain = loading == Block.Loading.WHOLE ? tensor.to(ScalarType.Float) : tensor;
        Tensor mine = Tensors.own(plain.contiguous());
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

    /** Tells the observer of an input of these matrices. */
    void observe(@Nullable InputObserver observer, Tensor input, String... readers) {
        if (observer != null) {
            observer.input(Arrays.stream(readers).map(this::linear).toList(), input);
        }
    }

    /** Multiplies the last axis with a matrix and adds its bias. */
    Tensor multiply(String role, Tensor input) {
        Linear linear = linear(role);
        Tensor bias = biases.get(linear.name());
        Tensor output =
                Tensors.scoped(() ->
                        torch.linear(
                                input,
                                weight(linear),
                                bias == null
                                        ? new TensorOptional()
                                        : new TensorOptional(bias.to(ScalarType.Float))));
        if (loading == Block.Loading.ON_DEMAND) {
            parameters.release(linear);
        }
        return output;
    }

    private Linear linear(String role) {
        return Objects.requireNonNull(roles.get(role), role);
    }

    @Override
    public void close() {
        replacements.forEach(Tensor::close);
        replacements.clear();
        weights.clear();
        biases.clear();
    }
}
