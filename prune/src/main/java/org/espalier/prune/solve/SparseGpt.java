package org.espalier.prune.solve;

import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.pattern.Group;
import org.espalier.core.pattern.Pattern;
import org.espalier.core.recipe.Parameters;
import org.espalier.core.tensor.Tensors;
import org.espalier.prune.calibrate.Statistic;
import org.espalier.prune.layer.LayerCost;
import org.espalier.prune.layer.LayerProblem;
import org.espalier.prune.layer.LayerSolution;
import org.espalier.prune.select.Mask;
import org.espalier.prune.select.Selector;
import org.espalier.prune.solve.kernel.HessianFactor;

/**
 * SparseGPT: columns are visited from left to right, and what a removed weight did is handed to all columns further
 * right by the optimal brain surgeon's update (Frantar and Alistarh, 2023, arXiv 2301.00774, algorithm 1; card
 * sparsegpt). Weights are chosen where the sweep stands: within blocks of columns over all rows by the saliency
 * w^2 / U_jj^2 when the block begins, or N of M per row when the group begins.
 *
 * <p>Two differences from the official code, neither in the mathematics. Counts are exact, by
 * {@link org.espalier.core.Rounding}, where {@code mask <= threshold} takes one weight too many per block and all ties.
 * And the sweep runs row by row in the cache, with one matrix product per block, instead of column by column over the
 * whole matrix.
 *
 * @param block columns that are compared with each other, and swept before the columns beyond are updated
 * @param damping fraction of the mean diagonal of the Hessian that is added to its diagonal
 */
public record SparseGpt(int block, double damping) implements LayerSolver {
    /** The official default. */
    public static final int BLOCK = 128;

    /** The official default. */
    public static final double DAMPING = 0.01;

    public SparseGpt {
        if (block < 1 || !(damping >= 0 && damping <= 1)) {
            throw new IllegalArgumentException(
                    "block must be at least 1 and damping in [0, 1] but are "
                            + block
                            + " and "
                            + damping);
        }
    }

    /** Reads {@code block} and {@code damping}. */
    public static SparseGpt from(Parameters parameters) {
        return new SparseGpt(
                parameters.integer("block", BLOCK, 1, 1 << 16),
                parameters.number("damping", DAMPING, 0, 1));
    }

    @Override
    public Set<Statistic> needs() {
        return EnumSet.of(Statistic.GRAM);
    }

    @Override
    public Optional<String> refusal(Pattern pattern) {
        return switch (pattern) {
            case Pattern.NofM _ -> Optional.empty();
            case Pattern.Unstructured(Group.ColumnBlock(int width)) when width == block ->
                    Optional.empty();
            case Pattern.Unstructured _ ->
                    Optional.of(
                            "it compares weights within its own blocks of "
                                    + block
                                    + " columns and in no other group");
            case Pattern.Tiles _ -> Optional.of("it removes single weights, not tiles");
        };
    }

    @Override
    public boolean factorsInPlace() {
        return true;
    }

    /** The factor R, the changes D, and what a panel of columns is shifted by; a factorization and D times R. */
    @Override
    public LayerCost cost(long rows, long columns) {
        long square = columns * columns;
        return new LayerCost(
                Float.BYTES * (square + rows * columns + rows * (BlockSweep.PANEL + 4L * block)),
                square * (columns / 3.0 + rows));
    }

    @Override
    public LayerSolution solve(LayerProblem problem) {
        Tensor dense = problem.weight();
        Tensor weight = torch.empty(Tensors.shape(dense), Tensors.options(ScalarType.Float), null);
        Tensor keep =
                problem.support() == null
                        ? torch.empty(Tensors.shape(dense), Tensors.options(ScalarType.Bool), null)
                        : problem.support().keep().clone();
        try (PointerScope scope = new PointerScope()) {
            HessianFactor factor = HessianFactor.of(problem.statistics(), damping);
            new BlockSweep(
                            factor,
                            new TileSweep.Matrices(dense.contiguous(), weight, keep),
                            step(problem))
                    .run(choice(problem));
        }
        return new LayerSolution(weight, problem.bias(), new Mask(keep));
    }

    private SupportChoice choice(LayerProblem problem) {
        if (problem.support() != null) {
            return new SupportChoice.Given();
        }
        Pattern pattern = problem.pattern();
        refusal(pattern)
                .or(() ->
                        Selector.refusal(
                                pattern, problem.weight().size(0), problem.weight().size(1)))
                .ifPresent(reason -> {
                    throw new IllegalArgumentException(
                            "sparsegpt cannot choose a support: " + reason);
                });
        return pattern instanceof Pattern.NofM(int _, int m)
                ? SupportChoice.PerGroup.of(m, problem.sparsity())
                : new SupportChoice.PerBlock(problem.sparsity());
    }

    /** Columns per block: whole groups, because a group is chosen and swept before the next one begins. */
    private int step(LayerProblem problem) {
        return problem.support() == null && problem.pattern() instanceof Pattern.NofM(int _, int m)
                ? Math.max(m, block - block % m)
                : block;
    }
}
