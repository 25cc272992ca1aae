package org.espalier.prune;

import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.espalier.network.Linear;
import org.espalier.prune.calibrate.SavedStates;
import org.jspecify.annotations.Nullable;

/** Takes the pruned layers as they are finished, block by block. */
@FunctionalInterface
public interface LayerSink {
    /**
     * A layer is done.
     *
     * @param linear which one
     * @param weight float32 [out_features, in_features], already rounded to the dtype that is stored; valid during the
     *     call only
     * @param bias float32 [out_features], or null where the layer has none
     */
    void write(Linear linear, Tensor weight, @Nullable Tensor bias);

    /**
     * The budget is spread over the layers; no layer was pruned yet.
     *
     * @param sparsities the exact sparsity of each layer in forward order
     * @param seconds time that it took
     */
    default void allocated(double[] sparsities, double seconds) {}

    /**
     * A block is done: the last of its layers was written.
     *
     * @param block what became of it
     * @param layers what became of its layers, in forward order
     * @param states where what enters the next block is kept; null where it is not
     */
    default void finished(
            BlockOutcome block, List<LayerOutcome> layers, @Nullable SavedStates states) {}
}
