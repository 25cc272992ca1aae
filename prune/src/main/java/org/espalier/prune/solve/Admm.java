package org.espalier.prune.solve;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.pattern.Pattern;
import org.espalier.core.tensor.Tensors;
import org.espalier.prune.select.Mask;
import org.espalier.prune.select.Selector;

/**
 * The method of multipliers of ALPS (arXiv 2406.07831, algorithm 1; card alps, steps 4 and 5): a dense copy B follows
 * the data, a sparse copy D the pattern, the dual V pulls them together, and the penalty rho rises as long as the
 * support still moves. Tensors have the shape of the weight, the transpose of the paper's.
 */
final class Admm {
    private static final int CHECK_EVERY = 3;
    private static final double LARGEST_RHO = 1e6;
    private static final double SETTLED = 0.0003;

    private final Alps settings;
    private final ScaledLayer layer;
    private final Pattern pattern;
    private final double sparsity;
    private double rho;

    /** Whether a rise of rho has shown that the first rho was low enough to let the support move. */
    private boolean initialised;

    Admm(Alps settings, ScaledLayer layer, Pattern pattern, double sparsity) {
        this.settings = settings;
        this.layer = layer;
        this.pattern = pattern;
        this.sparsity = sparsity;
        this.rho = settings.rho();
    }

    /**
     * Runs to the end.
     *
     * @param start the support of the first sparse copy, that of the largest scaled weights
     * @return the dense copy B, from whose largest entries the support is taken
     */
    Tensor run(Mask start) {
        Tensor dense = layer.weight();
        Tensor b = dense.clone();
        try (PointerScope scope = new PointerScope()) {
            Tensor v = torch.zeros_like(dense);
            Tensor first = start.apply(dense);
            double kept = Math.max(1, start.kept());
            Tensor d = first.clone();
            Tensor previous = start.keep().clone();
            Tensor gram = layer.gram().to(ScalarType.Double);
            Tensor inverse = torch.empty_like(layer.gram());
            invert(gram, inverse);
            for (int iteration = 1; iteration <= settings.iterations(); iteration++) {
                double before = rho;
                long moved = step(b, d, v, inverse, previous, iteration % CHECK_EVERY == 0);
                if (moved < 0) {
                    continue;
                }
                double change = moved / kept;
                if (change > 0.1) {
                    rise(1.3);
                } else if (change > 0.005) {
                    rise(1.2);
                } else if (moved == 0 && initialised) {
                    break;
                } else if (initialised) {
                    rho *= 1.1;
                } else {
                    rho /= 5;
                    if (moved > 0) {
                        b.copy_(dense);
                        d.copy_(first);
                        v.zero_();
                    }
                }
                rho = Math.min(rho, LARGEST_RHO);
                if (iteration > settings.switching() && change < SETTLED) {
                    break;
                }
                if (rho != before) {
                    invert(gram, inverse);
                }
            }
        }
        return b;
    }

    private void rise(double factor) {
        rho *= factor;
        initialised = true;
    }

    /** One iteration; returns how many entries of the support changed since the last check, or -1 between checks. */
    private long step(
            Tensor b, Tensor d, Tensor v, Tensor inverse, Tensor previous, boolean check) {
        try (PointerScope scope = new PointerScope()) {
            Tensor right = d.mul(new Scalar(rho)).sub_(v).add_(layer.target());
            b.copy_(right.matmul(inverse));
            d.copy_(v).div_(new Scalar(rho)).add_(b);
            Tensor keep = keep(d, pattern, sparsity);
            d.masked_fill_(keep.logical_not(), new Scalar(0.0));
            v.add_(b.sub(d).mul_(new Scalar(rho)));
            if (!check) {
                return -1;
            }
            long moved = Tensors.countTrue(keep.ne(previous));
            previous.copy_(keep);
            return moved;
        }
    }

    /** The projection onto the pattern keeps the entries of largest square. */
    static Tensor keep(Tensor weights, Pattern pattern, double sparsity) {
        return Selector.select(weights.square(), pattern, sparsity).keep();
    }

    /** inverse = (G + rho I)^-1, worked out in float64. */
    private void invert(Tensor gram, Tensor inverse) {
        try (PointerScope scope = new PointerScope()) {
            Tensor factor =
                    Tensors.scoped(() -> {
                        Tensor damped = gram.clone();
                        damped.diagonal().add_(new Scalar(rho));
                        return torch.linalg_cholesky(damped);
                    });
            inverse.copy_(torch.cholesky_inverse(factor));
        }
    }
}
