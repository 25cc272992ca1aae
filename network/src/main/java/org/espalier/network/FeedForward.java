package org.espalier.network;

import org.bytedeco.pytorch.Tensor;
import org.espalier.core.tensor.Tensors;
import org.jspecify.annotations.Nullable;

/** A gated or plain MLP: that of a block, or one expert. */
final class FeedForward {
    private final Activation activation;
    private final BlockMatrices matrices;
    private final String gate;
    private final String up;
    private final String stacked;
    private final String down;

    /**
     * @param activation the nonlinearity
     * @param matrices those of the block
     * @param prefix what stands before the kind in the roles of this MLP's matrices
     */
    FeedForward(Activation activation, BlockMatrices matrices, String prefix) {
        this.activation = activation;
        this.matrices = matrices;
        gate = prefix + "gate";
        up = prefix + "up";
        stacked = prefix + "gate_up";
        down = prefix + "down";
    }

    /** [sequences, tokens, hidden] to the same shape. */
    Tensor apply(Tensor input, @Nullable InputObserver observer) {
        Tensor inner = Tensors.scoped(() -> inner(input, observer));
        matrices.observe(observer, inner, down);
        return matrices.multiply(down, inner);
    }

    private Tensor inner(Tensor input, @Nullable InputObserver observer) {
        if (matrices.has(stacked)) {
            matrices.observe(observer, input, stacked);
            Tensor both = matrices.multiply(stacked, input);
            long width = both.size(2) / 2;
            return activation.apply(both.narrow(2, 0, width)).mul(both.narrow(2, width, width));
        }
        if (matrices.has(gate)) {
            matrices.observe(observer, input, gate, up);
            Tensor open = Tensors.scoped(() -> activation.apply(matrices.multiply(gate, input)));
            return open.mul(matrices.multiply(up, input));
        }
        matrices.observe(observer, input, up);
        return activation.apply(matrices.multiply(up, input));
    }
}
