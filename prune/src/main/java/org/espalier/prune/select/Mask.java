package org.espalier.prune.select;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.tensor.Tensors;

/**
 * Which weights of a matrix are kept: an explicit value, never inferred from {@code w == 0}.
 *
 * @param keep bool [out_features, in_features], contiguous, true where the weight stays
 */
public record Mask(Tensor keep) {
    public Mask {
        if (Tensors.type(keep) != ScalarType.Bool || keep.dim() != 2 || !keep.is_contiguous()) {
            throw new IllegalArgumentException(
                    "a mask is a contiguous bool matrix but is "
                            + Tensors.type(keep)
                            + " "
                            + Tensors.describe(keep));
        }
    }

    /** Number of weights removed. */
    public long removed() {
        return keep.numel() - kept();
    }

    /** Number of weights kept. */
    public long kept() {
        return Tensors.countTrue(keep);
    }

    /** Fraction removed, in [0, 1]. */
    public double sparsity() {
        return (double) removed() / keep.numel();
    }

    /** The weight with removed entries set to zero and all others untouched to the bit; a new tensor. */
    public Tensor apply(Tensor weight) {
        return weight.masked_fill(keep.logical_not(), new org.bytedeco.pytorch.Scalar(0.0));
    }
}
