package org.espalier.prune.score;

import java.util.Set;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.recipe.Parameters;
import org.espalier.core.tensor.Tensors;
import org.espalier.prune.calibrate.LayerStatistics;
import org.espalier.prune.calibrate.Statistic;

/**
 * Weight times input norm, {@code |W_ij| * ||X_j||_2}, the norm taken over all calibration tokens. A layer that saw no
 * token, or only zeros (an expert to which nothing was routed), is scored by magnitude: all its products would tie at
 * zero and the first columns would go.
 *
 * <p>Sun et al., A Simple and Effective Pruning Approach for Large Language Models, 2023, arXiv 2306.11695, equation 1;
 * card {@code wanda}.
 */
public record Wanda() implements Score {
    /** Takes no parameters. */
    public static Wanda from(Parameters parameters) {
        return new Wanda();
    }

    @Override
    public Set<Statistic> needs() {
        return Set.of(Statistic.SUM_OF_SQUARES);
    }

    @Override
    public Tensor score(Tensor weight, LayerStatistics statistics) {
        return Tensors.scoped(() -> {
            Tensor magnitude = weight.abs();
            return Activations.seen(statistics)
                    ? magnitude.mul_(statistics.columnNorm())
                    : magnitude;
        });
    }
}
