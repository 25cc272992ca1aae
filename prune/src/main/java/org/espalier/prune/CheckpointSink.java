package org.espalier.prune;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.checkpoint.CheckpointWriter;
import org.espalier.network.Decoder;
import org.espalier.network.Linear;
import org.jspecify.annotations.Nullable;

/**
 * Writes pruned layers into a checkpoint, in the orientation and dtype that each tensor has there. Where the repair adds
 * biases, it declares them and throws the switches of config.json that make stock runtimes read them.
 */
public final class CheckpointSink implements LayerSink {
    private final CheckpointWriter writer;

    /**
     * @param writer a writer of which nothing has been written yet
     * @param plan what is about to be done
     * @param decoder the model that the plan was made for
     */
    public CheckpointSink(CheckpointWriter writer, PrunePlan plan, Decoder decoder) {
        this.writer = writer;
        for (Linear linear : plan.newBiases()) {
            writer.declare(
                    linear.biasName(), writer.targetDtype(linear.weightName()), linear.rows());
        }
        writer.editConfig(config -> plan.configAfter(config, decoder.family()));
    }

    /** The dtype that a tensor is stored in, for {@link Pruner}. */
    public ScalarType storage(String name) {
        return writer.targetDtype(name)
                .scalarType()
                .orElseThrow(
                        () -> new IllegalStateException(name + " has a dtype that libtorch lacks"));
    }

    @Override
    public void write(Linear linear, Tensor weight, @Nullable Tensor bias) {
        try (PointerScope scope = new PointerScope()) {
            writer.write(
                    linear.weightName(), linear.transposed() ? weight.t().contiguous() : weight);
            if (bias != null) {
                writer.write(linear.biasName(), bias);
            }
        }
    }
}
