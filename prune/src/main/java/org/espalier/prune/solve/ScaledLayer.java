package org.espalier.prune.solve;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.tensor.Tensors;

/**
 * A layer in the units in which ALPS works: the damped Gram matrix has diagonal 1, so that the conjugate gradients need
 * no preconditioner and one penalty suits all inputs (card alps, steps 1 and 2).
 *
 * @param scale n_j, root of the damped diagonal, float32 [in_features]
 * @param gram G / (n n^T), damped, float32 [in_features, in_features]
 * @param weight W n, float32 [out_features, in_features]
 * @param target weight times gram, float32 [out_features, in_features]
 */
record ScaledLayer(Tensor scale, Tensor gram, Tensor weight, Tensor target) {
    /** Keeps the scale of an input that was always zero from being zero. */
    private static final double TINY = 1e-8;

    /** Scales a layer. */
    static ScaledLayer of(Tensor weight, Tensor gram, double damping) {
        Tensor damped =
                Tensors.scoped(() -> {
                    Tensor copy = gram.clone();
                    Tensor mean = copy.diagonal().mean();
                    copy.diagonal().add_(mean.mul(new Scalar(damping)));
                    return copy;
                });
        Tensor scale =
                Tensors.scoped(() -> {
                    Tensor roots = damped.diagonal().sqrt();
                    // Small inputs must not drown in it.
                    double largest = roots.max().item_double();
                    double added = TINY * (largest > 0 ? Math.min(1, largest) : 1);
                    return roots.add_(new Scalar(added));
                });
        damped.div_(scale).div_(scale.unsqueeze(1));
        Tensor scaled = weight.mul(scale);
        return new ScaledLayer(scale, damped, scaled, scaled.matmul(damped));
    }

    /** tr((V - W) G (V - W)^T) for scaled weights V, with the damped G. */
    double error(Tensor weights) {
        try (PointerScope scope = new PointerScope()) {
            Tensor difference = weights.sub(weight);
            return difference
                    .matmul(gram)
                    .mul_(difference)
                    .to(ScalarType.Double)
                    .sum()
                    .item_double();
        }
    }

    /** Weights in the layer's own units. */
    Tensor unscaled(Tensor weights) {
        return weights.div(scale);
    }
}
