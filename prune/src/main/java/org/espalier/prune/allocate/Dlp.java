package org.espalier.prune.allocate;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.recipe.Parameters;

/**
 * Blocks whose typical score is small stay denser. The figure of a block is {@code R_l = 1 - I_l / sum_k I_k} with
 * {@code I_l} the median of its scores (in the paper) or their mean (in the released code); densities spread over
 * {@code 2 * alpha}.
 *
 * <p>DLP: Dynamic Layerwise Pruning in Large Language Models, ICML 2025, arXiv 2505.23807; card {@code dlp}.
 *
 * @param alpha half the spread of the densities, in [0, 0.5]; 0 is uniform
 * @param reduce how the scores of a block become one figure
 */
public record Dlp(double alpha, Reduce reduce) implements Allocation {
    public static final double DEFAULT_ALPHA = 0.15;

    /** How the scores of a block become one figure. */
    public enum Reduce {
        /** What the paper says. */
        MEDIAN,
        /** What the released code does. */
        MEAN
    }

    public Dlp {
        if (!(alpha >= 0 && alpha <= 0.5)) {
            throw new IllegalArgumentException("alpha must be in [0, 0.5] but is " + alpha);
        }
    }

    /** Reads {@code alpha} (0.15) and {@code reduce} ({@code median} or {@code mean}). */
    public static Dlp from(Parameters parameters) {
        return new Dlp(
                parameters.number("alpha", DEFAULT_ALPHA, 0, 0.5),
                parameters.choice("reduce", "median", "median", "mean").equals("median")
                        ? Reduce.MEDIAN
                        : Reduce.MEAN);
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

    /** The median or mean score. */
    double figure(List<Tensor> scores) {
        return switch (reduce) {
            case MEDIAN -> BlockScores.median(scores);
            case MEAN -> BlockScores.mean(scores);
        };
    }

    /** From the figures of the blocks. */
    double[] wanted(List<LayerShape> layers, List<Double> figures, double sparsity) {
        // The affine map undoes the division by the sum and the 1, so the order and spread of -I_l
        // are those of R_l.
        double[] importance = figures.stream().mapToDouble(figure -> -figure).toArray();
        return BlockMap.sparsities(layers, importance, 2 * alpha, sparsity);
    }
}
