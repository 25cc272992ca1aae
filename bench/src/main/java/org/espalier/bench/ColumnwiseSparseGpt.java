package org.espalier.bench;

import java.util.Optional;
import java.util.Set;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.Rounding;
import org.espalier.core.pattern.Pattern;
import org.espalier.core.tensor.Tensors;
import org.espalier.prune.calibrate.Statistic;
import org.espalier.prune.layer.LayerProblem;
import org.espalier.prune.layer.LayerSolution;
import org.espalier.prune.select.Mask;
import org.espalier.prune.solve.LayerSolver;
import org.espalier.prune.solve.SparseGpt;

/**
 * SparseGPT as its authors wrote it (IST-DASLab/sparsegpt, sparsegpt.py, Apache-2.0): three factorizations, then every
 * column of the sweep a handful of libtorch operations over all rows, the same ones, the sum of losses that it prints
 * included. The yardstick for {@link SparseGpt}, in results and in time; slow on purpose and never used for pruning.
 *
 * <p>One line differs: the threshold is the k-th smallest saliency, not the one after it, so that k weights go per
 * block and not k + 1. Ties still all go.
 *
 * @param block columns per block
 * @param damping fraction of the mean diagonal that is added to the diagonal
 */
public record ColumnwiseSparseGpt(int block, double damping) implements LayerSolver {
    @Override
    public Set<Statistic> needs() {
        return new SparseGpt(block, damping).needs();
    }

    @Override
    public Optional<String> refusal(Pattern pattern) {
        return new SparseGpt(block, damping).refusal(pattern);
    }

    @Override
    public LayerSolution solve(LayerProblem problem) {
        if (problem.support() != null) {
            throw new IllegalArgumentException("the column-by-column twin chooses for itself");
        }
        Tensor weight = problem.weight().clone();
        Tensor keep =
                torch.ones(Tensors.shape(weight), Tensors.options(ScalarType.Bool)).contiguous();
        try (PointerScope scope = new PointerScope()) {
            Tensor upper = inverseFactor(problem, weight);
            long columns = weight.size(1);
            Tensor losses = torch.zeros(weight.size(0));
            for (long from = 0; from < columns; from += block) {
                long width = Math.min(columns - from, block);
                Tensor errors = sweep(problem, weight, keep, upper, from, width, losses);
                long right = columns - from - width;
                if (right > 0) {
                    Tensor factor = upper.narrow(0, from, width).narrow(1, from + width, right);
                    weight.narrow(1, from + width, right).sub_(errors.matmul(factor));
                }
            }
        }
        return new LayerSolution(weight, problem.bias(), new Mask(keep));
    }

    private Tensor inverseFactor(LayerProblem problem, Tensor weight) {
        return Tensors.scoped(() -> {
            double scale = 2.0 / problem.statistics().sequences();
            Tensor hessian = problem.statistics().gramMatrix().mul(new Scalar(scale));
            Tensor dead = hessian.diagonal().eq(new Scalar(0.0));
            hessian.diagonal().masked_fill_(dead, new Scalar(1.0));
            weight.masked_fill_(dead, new Scalar(0.0));
            hessian.diagonal().add_(hessian.diagonal().mean().mul(new Scalar(damping)));
            Tensor inverse = torch.cholesky_inverse(torch.linalg_cholesky(hessian));
            return torch.linalg_cholesky(inverse, true);
        });
    }

    private Tensor sweep(
            LayerProblem problem,
            Tensor weight,
            Tensor keep,
            Tensor upper,
            long from,
            long width,
            Tensor rowLosses) {
        return Tensors.scoped(() -> {
            Tensor columns = weight.narrow(1, from, width);
            Tensor block = columns.clone();
            Tensor pruned = torch.zeros_like(block);
            Tensor errors = torch.zeros_like(block);
            Tensor losses = torch.zeros_like(block);
            Tensor factor = upper.narrow(0, from, width).narrow(1, from, width);
            Tensor diagonal = factor.diagonal().reshape(1, -1);
            Tensor goes = keep.narrow(1, from, width);
            if (problem.pattern() instanceof Pattern.NofM) {
                goes.zero_();
            } else {
                goes.copy_(lowest(block.square().div(diagonal.square()), problem.sparsity()));
            }
            for (long column = 0; column < width; column++) {
                if (problem.pattern() instanceof Pattern.NofM(int n, int m) && column % m == 0) {
                    Tensor saliency =
                            block.narrow(1, column, m)
                                    .square()
                                    .div(diagonal.narrow(1, column, m).square());
                    Tensor least = torch.topk(saliency, m - n, 1, false, true).get1();
                    goes.narrow(1, column, m).scatter_(1, least, new Scalar(1.0));
                }
                try (PointerScope scope = new PointerScope()) {
                    Tensor current = block.select(1, column);
                    Tensor scale = diagonal.select(1, column);
                    Tensor kept = current.clone();
                    kept.masked_fill_(goes.select(1, column), new Scalar(0.0));
                    pruned.select(1, column).copy_(kept);
                    losses.select(1, column).copy_(current.sub(kept).square().div(scale.square()));
                    Tensor error = current.sub(kept).div(scale);
                    Tensor row = factor.select(0, column).narrow(0, column, width - column);
                    block.narrow(1, column, width - column)
                            .sub_(error.unsqueeze(1).matmul(row.unsqueeze(0)));
                    errors.select(1, column).copy_(error);
                }
            }
            rowLosses.add_(losses.sum(1).div_(new Scalar(2.0)));
            columns.copy_(pruned);
            goes.logical_not_();
            return errors;
        });
    }

    /** True for all saliencies up to the k-th smallest. */
    private static Tensor lowest(Tensor saliency, double sparsity) {
        long removed = Rounding.removed(saliency.numel(), sparsity);
        if (removed == 0) {
            return torch.zeros_like(saliency).to(ScalarType.Bool);
        }
        Tensor threshold = torch.sort(saliency.flatten()).get0().select(0, removed - 1);
        return saliency.le(threshold);
    }
}
