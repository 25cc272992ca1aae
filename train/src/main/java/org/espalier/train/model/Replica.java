package org.espalier.train.model;

import java.util.HashMap;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.espalier.core.UserError;
import org.espalier.core.tensor.Tensors;
import org.espalier.network.Decoder;
import org.espalier.network.WeightSource;

/**
 * The model once more over the same weights, with a gradient vector of its own: replicas run at the same time, each on
 * one thread, and their gradients are added up in a fixed order. Sums therefore do not depend on how many threads there
 * are, and no thread waits for another inside an operation, which on a busy machine costs more than the work.
 */
final class Replica implements WeightSource, AutoCloseable {
    private final Map<String, Tensor> leaves = new HashMap<>();
    private final Tensor gradient;
    private final Decoder decoder;
    private final int vocabulary;

    /**
     * @param shape sizes of the model
     * @param parameters layout of the vectors
     * @param weights [parameters], shared; must outlive the replica
     */
    Replica(ModelShape shape, FlatParameters parameters, Tensor weights) {
        gradient = parameters.zeros();
        vocabulary = shape.vocabulary();
        try (PointerScope scope = new PointerScope()) {
            Map<String, Tensor> gradients = parameters.views(gradient);
            parameters
                    .views(weights)
                    .forEach((name, view) -> {
                        Tensor leaf = Tensors.own(view.detach());
                        leaf.set_requires_grad(true);
                        // Backward adds in place to a gradient that is there already.
                        leaf.mutable_grad().put(gradients.get(name));
                        leaves.put(name, leaf);
                    });
        }
        // The special tokens' ids do not matter to the forward pass.
        decoder = Decoder.open(shape.config("float32", 0, 1), this);
    }

    /** Gradient of the last {@link #backward}, [parameters]. */
    Tensor gradient() {
        return gradient;
    }

    /**
     * Computes the gradient of the mean loss, times {@code share}.
     *
     * @param sequences token ids [sequences][tokens + 1]
     * @param share weight of these sequences in the step
     * @return the mean cross-entropy in nats per token
     */
    double backward(long[][] sequences, double share) {
        try (PointerScope scope = new PointerScope()) {
            gradient.zero_();
            Tensor loss = loss(sequences);
            loss.mul(new Scalar(share)).backward();
            return loss.item_double();
        }
    }

    /** The mean cross-entropy in nats per token of token ids [sequences][tokens + 1], without a gradient. */
    double evaluate(long[][] sequences) {
        try (AutoGradMode off = Tensors.noGrad();
                PointerScope scope = new PointerScope()) {
            return loss(sequences).item_double();
        }
    }

    private Tensor loss(long[][] sequences) {
        int tokens = sequences[0].length - 1;
        long[] inputs = new long[sequences.length * tokens];
        long[] targets = new long[inputs.length];
        for (int i = 0; i < sequences.length; i++) {
            System.arraycopy(sequences[i], 0, inputs, i * tokens, tokens);
            System.arraycopy(sequences[i], 1, targets, i * tokens, tokens);
        }
        Tensor logits = decoder.forward(Tensors.longs(inputs, sequences.length, tokens));
        return torch.cross_entropy_loss(
                logits.view(inputs.length, vocabulary), Tensors.longs(targets, targets.length));
    }

    @Override
    public boolean contains(String name) {
        return leaves.containsKey(name);
    }

    @Override
    public long[] shape(String name) {
        return Tensors.shape(tensor(name));
    }

    @Override
    public Tensor tensor(String name) {
        Tensor leaf = leaves.get(name);
        if (leaf == null) {
            throw new UserError("the model has no tensor " + name);
        }
        return leaf;
    }

    @Override
    public void close() {
        decoder.close();
        leaves.values().forEach(Tensor::close);
        gradient.close();
    }
}
