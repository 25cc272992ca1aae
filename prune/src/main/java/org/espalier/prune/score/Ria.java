package org.espalier.prune.score;

import java.util.Set;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.recipe.Parameters;
import org.espalier.core.tensor.Tensors;
import org.espalier.prune.calibrate.LayerStatistics;
import org.espalier.prune.calibrate.Statistic;

/**
 * Relative importance and activations: the share that a weight has of its column plus the share that it has of its row,
 * {@code (|W_ij| / sum_i |W_ij| + |W_ij| / sum_j |W_ij|) * ||X_j||_2 ^ power}. Rows and columns of zeros score zero. A
 * layer that saw no token, or only zeros, is scored by relative importance alone.
 *
 * <p>Zhang et al., Plug-and-Play: An Efficient Post-training Pruning Method for Large Language Models, ICLR 2024,
 * equations 2 and 3; card {@code ria}.
 *
 * @param power exponent of the activation norm, {@code a} in the paper, at least 0
 */
public record Ria(double power) implements Score {
    public static final double DEFAULT_POWER = 0.5;

    public Ria {
        if (!(power >= 0)) {
            throw new IllegalArgumentException("power must be at least 0 but is " + power);
        }
    }

    /** Reads {@code power} (0.5). */
    public static Ria from(Parameters parameters) {
        return new Ria(parameters.number("power", DEFAULT_POWER, 0, 4));
    }

    @Override
    public Set<Statistic> needs() {
        return Set.of(Statistic.SUM_OF_SQUARES);
    }

    @Override
    public Tensor score(Tensor weight, LayerStatistics statistics) {
        return Tensors.scoped(() -> {
            Tensor magnitude = inRange(weight.abs());
            Tensor relative =
                    magnitude.div(sums(magnitude, 0)).add(magnitude.div(sums(magnitude, 1)));
            return Activations.seen(statistics)
                    ? relative.mul(statistics.columnNorm().pow(new Scalar(power)))
                    : relative;
        });
    }

    /** Shares do not depend on the scale; so that no sum overflows, magnitudes of absurd size are made smaller. */
    private static Tensor inRange(Tensor magnitude) {
        return Double.isInfinite(magnitude.sum().item_double())
                ? magnitude.mul(new Scalar(Math.scalb(1.0, -40)))
                : magnitude;
    }

    /** Sums along an axis, which is kept; a sum of 0 counts as 1, for its shares are 0 whatever they are divided by. */
    private static Tensor sums(Tensor magnitude, long axis) {
        Tensor sums = magnitude.sum(new long[] {axis}, true, new ScalarTypeOptional());
        return sums.add(sums.eq(new Scalar(0.0)));
    }
}
