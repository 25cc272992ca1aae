package org.espalier.network;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.tensor.Tensors;
import org.espalier.network.family.Family;
import org.jspecify.annotations.Nullable;

/**
 * Reads tensors as float32 and owns what it hands out. A tensor that is float32 already is shared, not copied, and
 * keeps its place in the autograd graph. The pages of the file are given back as soon as nobody reads them: after the
 * conversion, or when what shares them is closed.
 */
final class LoadedParameters implements AutoCloseable {
    private final WeightSource weights;
    private final Layout layout;
    private final DecoderConfig config;
    private final List<Tensor> owned = new ArrayList<>();

    /** Names of the tensors that are shared with the source. */
    private final Set<String> shared = new HashSet<>();

    LoadedParameters(WeightSource weights, Layout layout, DecoderConfig config) {
        this.weights = weights;
        this.layout = layout;
        this.config = config;
    }

    /** The tensor as float32, in the shape of the file. */
    Tensor read(String name) {
        try (PointerScope scope = new PointerScope()) {
            Tensor stored = weights.tensor(name);
            Tensor read = keep(stored.to(ScalarType.Float));
            settle(name, Tensors.type(stored) == ScalarType.Float);
            return read;
        }
    }

    /** The weight as float32 [out_features, in_features], contiguous. */
    Tensor weight(Linear linear) {
        try (PointerScope scope = new PointerScope()) {
            Tensor stored = weights.tensor(linear.weightName());
            Tensor plain = stored.to(ScalarType.Float);
            Tensor weight = keep(linear.transposed() ? plain.t().contiguous() : plain);
            settle(
                    linear.weightName(),
                    !linear.transposed() && Tensors.type(stored) == ScalarType.Float);
            return weight;
        }
    }

    /**
     * The weight as float32 [out_features, in_features], contiguous, owned by the innermost scope of the caller and not
     * by this; follow it with {@link #release}, in case it is shared with the source.
     */
    Tensor passing(Linear linear) {
        return Tensors.scoped(() -> {
            Tensor plain = weights.tensor(linear.weightName()).to(ScalarType.Float);
            Tensor weight = linear.transposed() ? plain.t().contiguous() : plain;
            weights.release(linear.weightName());
            return weight;
        });
    }

    /** Gives the pages of a {@link #passing} weight back. */
    void release(Linear linear) {
        weights.release(linear.weightName());
    }

    private void settle(String name, boolean isShared) {
        if (isShared) {
            shared.add(name);
        } else {
            weights.release(name);
        }
    }

    /** Frees a weight that {@link #weight} has handed out before the others. */
    void free(Linear linear, Tensor weight) {
        if (owned.remove(weight)) {
            weight.close();
            if (shared.remove(linear.weightName())) {
                weights.release(linear.weightName());
            }
        }
    }

    @Nullable Tensor bias(Linear linear) {
        return linear.bias() == Linear.BiasSlot.PRESENT ? read(linear.biasName()) : null;
    }

    /** The weight of a module that is not pruned, as float32 in the shape of the file. */
    Tensor module(String pattern, int block) {
        return read(layout.module(pattern, block) + ".weight");
    }

    /** A tensor that is no module's weight, as float32 in the shape of the file. */
    Tensor tensor(String pattern, int block) {
        return read(layout.module(pattern, block));
    }

    /** The prunable matrices of a block by what they do. */
    Map<String, Linear> roles(int block) {
        return layout.roles(block);
    }

    Normalizer norm(String pattern, int block) {
        return norm(pattern, block, config.epsilon());
    }

    Normalizer norm(String pattern, int block, double epsilon) {
        String module = layout.module(pattern, block);
        boolean shifted = config.family().norm() == Family.Norm.LAYER;
        Tensor bias = shifted ? read(module + ".bias") : null;
        Tensor weight = read(module + ".weight");
        if (config.family().norm() == Family.Norm.RMS_PLUS_ONE) {
            try (PointerScope scope = new PointerScope()) {
                weight = keep(weight.add(new Scalar(1.0)));
            }
        }
        return new Normalizer(weight, bias, epsilon);
    }

    /** A norm that not every family has; null where this one has none. */
    @Nullable Normalizer optionalNorm(@Nullable String pattern, int block) {
        return pattern == null ? null : norm(pattern, block);
    }

    private Tensor keep(Tensor tensor) {
        owned.add(Tensors.own(tensor));
        return tensor;
    }

    @Override
    public void close() {
        owned.forEach(Tensor::close);
        owned.clear();
        shared.forEach(weights::release);
        shared.clear();
    }
}
