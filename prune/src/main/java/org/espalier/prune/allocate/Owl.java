package org.espalier.prune.allocate;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.recipe.Parameters;
import org.espalier.core.tensor.Tensors;

/**
 * Blocks with more outliers stay denser. The figure of a block is the percentage of its scores, over all its layers,
 * that exceed {@code outlier} times their mean; densities spread over {@code 2 * lambda}.
 *
 * <p>Yin et al., Outlier Weighed Layerwise Sparsity (OWL), ICML 2024, arXiv 2310.05175, section 3; card {@code owl}. The
 * paper's mixed N:M falls out of the {@link BudgetRestorer}, which moves N within a fixed M.
 *
 * @param lambda half the spread of the densities, in [0, 0.5]; 0 is uniform
 * @param outlier how many times the mean makes an outlier, above 0
 */
public record Owl(double lambda, double outlier) implements Allocation {
    public static final double DEFAULT_LAMBDA = 0.08;
    public static final double DEFAULT_OUTLIER = 5;

    public Owl {
        if (!(lambda >= 0 && lambda <= 0.5)) {
            throw new IllegalArgumentException("lambda must be in [0, 0.5] but is " + lambda);
        }
        if (!(outlier > 0)) {
            throw new IllegalArgumentException("outlier must be above 0 but is " + outlier);
        }
    }

    /** Reads {@code lambda} (0.08) and {@code outlier} (5). */
    public static Owl from(Parameters parameters) {
        return new Owl(
                parameters.number("lambda", DEFAULT_LAMBDA, 0, 0.5),
                parameters.number("outlier", DEFAULT_OUTLIER, 1e-6, 1e6));
    }

    @Override
    public Reads reads() {
        return Reads.BLOCKS;
    }

    @Override
    public double[] wanted(List<LayerShape> layers, NetworkScores scores, double sparsity) {
        List<Double> figures = new ArrayList<>();
        scores.blocks(block -> figures.add(figure(block)));
        return wanted(layers, figures, sparsity);
    }

    /** The percentage of outliers. */
    double figure(List<Tensor> scores) {
        double threshold = outlier * BlockScores.mean(scores);
        long outliers = 0;
        for (Tensor score : scores) {
            try (PointerScope scope = new PointerScope()) {
                outliers += Tensors.countTrue(score.gt(new Scalar(threshold)));
            }
        }
        return 100.0 * outliers / BlockScores.count(scores);
    }

    /** From the figures of the blocks. */
    double[] wanted(List<LayerShape> layers, List<Double> figures, double sparsity) {
        double[] outliers = figures.stream().mapToDouble(Double::doubleValue).toArray();
        return BlockMap.sparsities(layers, outliers, 2 * lambda, sparsity);
    }
}
