package org.espalier.prune;

import java.util.Objects;
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
            double error = squaredNorm(difference, kind, gram, statistics);
            double whole = squaredNorm(before, kind, gram, statistics);
            return whole > 0 ? error / whole : 0;
        }
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
                    case OUTPUT -> weight.matmul(Objects.requireNonNull(gram));
                    case OUTPUT_DIAGONAL -> weight.mul(diagonal(statistics.sumOfSquares()));
                    case WEIGHT -> weight;
                };
        return torch.sum(weighted.mul(weight).to(ScalarType.Double)).item_double();
    }

    private static Tensor diagonal(@Nullable Tensor sumOfSquares) {
        return sumOfSquares == null
                ? torch.scalar_tensor(new Scalar(1.0))
                : sumOfSquares.to(ScalarType.Float);
    }
}
