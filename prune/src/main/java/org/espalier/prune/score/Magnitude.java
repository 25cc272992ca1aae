package org.espalier.prune.score;

import java.util.Set;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.recipe.Parameters;
import org.espalier.core.tensor.Tensors;
import org.espalier.prune.calibrate.LayerStatistics;
import org.espalier.prune.calibrate.Statistic;

/**
 * The size of the weight, {@code |W_ij|}: needs no data and is the reference of every other score.
 *
 * <p>Han et al., Learning both Weights and Connections for Efficient Neural Networks, 2015, arXiv 1506.02626; card
 * {@code magnitude}.
 */
public record Magnitude() implements Score {
    /** Takes no parameters. */
    public static Magnitude from(Parameters parameters) {
        return new Magnitude();
    }

    @Override
    public Set<Statistic> needs() {
        return Set.of();
    }

    @Override
    public Tensor score(Tensor weight, LayerStatistics statistics) {
        return Tensors.scoped(weight::abs);
    }
}
