package org.espalier.network;

import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * One norm with its parameters.
 *
 * @param weight float32 [width]
 * @param bias float32 [width] for a LayerNorm, null for an RMSNorm
 * @param epsilon added under the root
 */
record Normalizer(Tensor weight, @Nullable Tensor bias, double epsilon) {
    /** Normalises the last axis. */
    Tensor apply(Tensor input) {
        long[] width = {weight.size(0)};
        TensorOptional scale = new TensorOptional(weight);
        return bias == null
                ? torch.rms_norm(input, width, scale, new DoubleOptional(epsilon))
                : torch.layer_norm(input, width, scale, new TensorOptional(bias), epsilon, true);
    }
}
