package org.espalier.prune;

import java.util.HashMap;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.tensor.Tensors;
import org.espalier.network.Linear;
import org.espalier.network.WeightSource;
import org.jspecify.annotations.Nullable;

/**
 * A pruned model in memory: the dense tensors with the pruned layers over them, so that a model can be measured without
 * being written. Holds the pruned layers as float32; for models that fit.
 */
public final class PrunedWeights implements WeightSource, LayerSink, AutoCloseable {
    private final WeightSource dense;
    private final Map<String, Tensor> pruned = new HashMap<>();

    /**
     * @param dense stays the caller's to close
     */
    public PrunedWeights(WeightSource dense) {
        this.dense = dense;
    }

    @Override
    public void write(Linear linear, Tensor weight, @Nullable Tensor bias) {
        put(linear.weightName(), linear.transposed() ? weight.t() : weight);
        if (bias != null) {
            put(linear.biasName(), bias);
        }
    }

    private void put(String name, Tensor tensor) {
        try (PointerScope scope = new PointerScope()) {
            Tensor old = pruned.put(name, Tensors.own(tensor.contiguous().clone()));
            if (old != null) {
                old.close();
            }
        }
    }

    @Override
    public boolean contains(String name) {
        return pruned.containsKey(name) || dense.contains(name);
    }

    @Override
    public long[] shape(String name) {
        Tensor tensor = pruned.get(name);
        return tensor == null ? dense.shape(name) : Tensors.shape(tensor);
    }

    @Override
    public Tensor tensor(String name) {
        Tensor tensor = pruned.get(name);
        return tensor == null ? dense.tensor(name) : tensor;
    }

    @Override
    public void release(String name) {
        if (!pruned.containsKey(name)) {
            dense.release(name);
        }
    }

    @Override
    public void close() {
        pruned.values().forEach(Tensor::close);
        pruned.clear();
    }
}
