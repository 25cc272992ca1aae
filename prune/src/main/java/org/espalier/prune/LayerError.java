package org.espalier.prune;

import java.util.Objects;
import java.util.function.ToDoubleFunction;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.tensor.Tensors;
import org.espalier.prune.LayerOutcome.ErrorKind;
import org.espalier.prune.calibrate.LayerStatistics;
import org.jspecify.annotations.Nullable;

/** The relative squared error of a pruned layer, in the best measure that the statistics at hand allow. */
final class LayerError {
    /** Rows that the error is measured on at most, evenly spaced: the measure must not cost as much as the solve. */
    private static final long ROWS = 256;

    /** Below it a sum of float32 squares may have lost most of them. */
    private static final double TINY = 1e-30;

    private LayerError() {}

    /** The measure that {@link #relative} uses with these statistics. */
    static ErrorKind kind(LayerStatistics statistics) {
        if (statistics.tokens() == 0) {
            return ErrorKind.WEIGHT;
        }
        if (statistics.hasGram()) {
            return ErrorKind.OUTPUT;
        }
        return statistics.sumOfSquares() != null ? ErrorKind.OUTPUT_DIAGONAL : ErrorKind.WEIGHT;
    }

    /**
     * Relative squared error.
     *
     * @param dense float32 [out_features, in_features]
     * @param pruned of the same shape
     */
    static double relative(Tensor dense, Tensor pruned, LayerStatistics statistics) {
        try (PointerScope scope = new PointerScope()) {
            Tensor rows = sample(dense.size(0));
            Tensor before = dense.index_select(0, rows);
            Tensor difference = before.sub(pruned.index_select(0, rows));
            ErrorKind kind = kind(statistics);
            Tensor gram = kind == ErrorKind.OUTPUT ? statistics.gramMatrix() : null;
            return ratio(
                    type -> squaredNorm(difference.to(type), kind, gram, statistics),
                    type -> squaredNorm(before.to(type), kind, gram, statistics));
        }
    }

    /**
     * The ratio of two sums of squares, in float32, or in float64 where their squares do not fit float32.
     *
     * @param error computes the sum above in a type
     * @param whole the sum below
     * @return error / whole, and 0 where there was nothing that could change
     */
    static double ratio(ToDoubleFunction<ScalarType> error, ToDoubleFunction<ScalarType> whole) {
        double above = error.applyAsDouble(ScalarType.Float);
        double below = whole.applyAsDouble(ScalarType.Float);
        if (!(below > TINY) || !Double.isFinite(below) || !Double.isFinite(above)) {
            above = error.applyAsDouble(ScalarType.Double);
            below = whole.applyAsDouble(ScalarType.Double);
        }
        // Of nearly equal sums rounding may leave less than nothing.
        return below > 0 ? Math.max(0, above) / below : 0;
    }

    private static Tensor sample(long rows) {
        int count = (int) Math.min(rows, ROWS);
        long[] indices = new long[count];
        for (int i = 0; i < count; i++) {
            indices[i] = i * rows / count;
        }
        return Tensors.longs(indices, count);
    }

    private static double squaredNorm(
            Tensor weight, ErrorKind kind, @Nullable Tensor gram, LayerStatistics statistics) {
        Tensor weighted =
                switch (kind) {
                    case OUTPUT ->
                            weight.matmul(Objects.requireNonNull(gram).to(weight.scalar_type()));
                    case OUTPUT_DIAGONAL -> weight.mul(diagonal(statistics.sumOfSquares(), weight));
                    case WEIGHT -> weight;
                };
        return torch.sum(weighted.mul(weight).to(ScalarType.Double)).item_double();
    }

    private static Tensor diagonal(@Nullable Tensor sumOfSquares, Tensor like) {
        return sumOfSquares == null
                ? torch.scalar_tensor(new Scalar(1.0))
                : sumOfSquares.to(like.scalar_type());
    }
}
