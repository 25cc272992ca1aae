package org.espalier.prune.layer;

import org.bytedeco.pytorch.Tensor;
import org.espalier.core.pattern.Pattern;
import org.espalier.prune.calibrate.LayerStatistics;
import org.espalier.prune.select.Mask;
import org.jspecify.annotations.Nullable;

/**
 * One matrix to be pruned.
 *
 * @param weight float32 [out_features, in_features], contiguous; solvers never write to it
 * @param bias float32 [out_features], or null
 * @param statistics at least what the solver needs
 * @param pattern the shape in which weights go
 * @param sparsity fraction removed in every comparison group, by {@link org.espalier.core.Rounding}; for N:M, 1 - N/M
 * @param support the weights to keep if an earlier part has already chosen them, or null to let the solver choose
 */
public record LayerProblem(
        Tensor weight,
        @Nullable Tensor bias,
        LayerStatistics statistics,
        Pattern pattern,
        double sparsity,
        @Nullable Mask support) {}
