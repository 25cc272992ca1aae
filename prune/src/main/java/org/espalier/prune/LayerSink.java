package org.espalier.prune;

import org.bytedeco.pytorch.Tensor;
import org.espalier.network.Linear;
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
}
