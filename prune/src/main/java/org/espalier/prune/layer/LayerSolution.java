package org.espalier.prune.layer;

import org.bytedeco.pytorch.Tensor;
import org.espalier.prune.select.Mask;
import org.jspecify.annotations.Nullable;

/**
 * A pruned matrix. Removed entries of the weight are exactly +0.
 *
 * @param weight float32 [out_features, in_features], a new contiguous tensor
 * @param bias float32 [out_features]: the old one, a changed one, a new one where there was none, or null
 * @param mask what was kept
 */
public record LayerSolution(Tensor weight, @Nullable Tensor bias, Mask mask) {}
