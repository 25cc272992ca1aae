package org.espalier.prune.repair;

import java.util.Optional;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.pattern.Pattern;
import org.espalier.core.recipe.Parameters;
import org.espalier.core.tensor.Tensors;
import org.espalier.prune.calibrate.LayerStatistics;
import org.espalier.prune.calibrate.Statistic;
import org.espalier.prune.layer.LayerCost;
import org.espalier.prune.layer.LayerProblem;
import org.espalier.prune.layer.LayerSolution;
import org.jspecify.annotations.Nullable;

/**
 * Folds what the removed weights gave on average into the bias, {@code b' = b + (W - W') E[x]}, so that the mean output
 * of the layer over the calibration tokens is that of the dense layer. Weights and mask stay.
 *
 * <p>The bias compensation of FLAP (An et al., AAAI 2024, arXiv 2312.11983, equation 8) applied to single weights.
 *
 * @param layers which layers get one
 */
public record MeanToBias(Layers layers) implements Repair {
    /** Which layers get a bias. */
    public enum Layers {
        ALL,
        /** Those that write to the residual stream, {@code o} and {@code down}, where FLAP has its biases. */
        RESIDUAL
    }

    private static final Set<String> RESIDUAL = Set.of("o", "down");

    /** Reads {@code layers} ({@code all} or {@code residual}). */
    public static MeanToBias from(Parameters parameters) {
        return new MeanToBias(
                parameters.choice("layers", "all", "all", "residual").equals("all")
                        ? Layers.ALL
                        : Layers.RESIDUAL);
    }

    @Override
    public boolean appliesTo(String kind) {
        return layers == Layers.ALL || RESIDUAL.contains(kind);
    }

    @Override
    public Set<Statistic> needs() {
        return Set.of(Statistic.SUM);
    }

    @Override
    public boolean changesBias() {
        return true;
    }

    @Override
    public Optional<String> refusal(Pattern pattern) {
        return Optional.empty();
    }

    /** What was removed, as a matrix. */
    @Override
    public LayerCost cost(long rows, long columns) {
        return new LayerCost(Float.BYTES * rows * columns, 2.0 * rows * columns);
    }

    @Override
    public LayerSolution repair(LayerProblem problem, LayerSolution solution) {
        Tensor bias =
                folded(problem.weight(), solution.weight(), solution.bias(), problem.statistics());
        return new LayerSolution(solution.weight(), bias, solution.mask());
    }

    /**
     * The bias that keeps the mean output.
     *
     * @param dense float32 [out_features, in_features]
     * @param pruned of the same shape
     * @param bias float32 [out_features], or null for none
     * @param statistics with {@link Statistic#SUM}, or of no token
     * @return float32 [out_features], new; the old values (or zeros) if there was no token
     */
    public static Tensor folded(
            Tensor dense, Tensor pruned, @Nullable Tensor bias, LayerStatistics statistics) {
        return Tensors.scoped(() -> {
            Tensor old =
                    bias == null
                            ? torch.zeros(
                                    new long[] {dense.size(0)}, Tensors.options(ScalarType.Float))
                            : bias;
            return statistics.tokens() == 0
                    ? old.clone()
                    : old.add(dense.sub(pruned).mv(statistics.mean().to(ScalarType.Float)));
        });
    }
}
