package org.espalier.prune;

import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.espalier.core.UserError;
import org.espalier.core.tensor.Tensors;
import org.espalier.network.Linear;
import org.espalier.prune.calibrate.LayerStatistics;
import org.espalier.prune.calibrate.StoredGram;
import org.jspecify.annotations.Nullable;

/** Refuses what no method can rank: weights and statistics that are not finite. */
final class Finite {
    /** Matrices that read the same input share them, one after the other. */
    private @Nullable LayerStatistics passed;

    /**
     * Checks a matrix and, once for all matrices that share them, the statistics of its input.
     *
     * @param weight float32 [out_features, in_features]
     * @throws UserError that names what is NaN or infinite
     */
    @SuppressWarnings("ReferenceEquality") // shared, not merely alike
    void require(Linear linear, Tensor weight, LayerStatistics statistics) {
        requireWeight(linear, weight);
        if (statistics != passed) {
            requireStatistics(linear, statistics);
            passed = statistics;
        }
    }

    /**
     * Checks a matrix.
     *
     * @param weight float32 [out_features, in_features]
     * @throws UserError that names the first weight that is NaN or infinite
     */
    static void requireWeight(Linear linear, Tensor weight) {
        if (isFinite(weight)) {
            return;
        }
        try (PointerScope scope = new PointerScope()) {
            float[] first =
                    Tensors.toFloats(torch.isfinite(weight).logical_not().nonzero().select(0, 0));
            float value = Tensors.toFloats(weight.select(0, (long) first[0]))[(int) first[1]];
            throw new UserError(
                    "%s holds %s at row %d, column %d (of %s): no method can rank that; restore the checkpoint"
                            .formatted(
                                    linear.weightName(),
                                    Float.isNaN(value) ? "NaN" : "an infinity",
                                    (long) first[0],
                                    (long) first[1],
                                    Tensors.describe(weight)));
        }
    }

    /**
     * Checks what was measured of the inputs of a matrix.
     *
     * @throws UserError if any figure is NaN or infinite
     */
    static void requireStatistics(Linear linear, LayerStatistics statistics) {
        StoredGram stored = statistics.storedGram();
        boolean finite =
                (stored == null || isFinite(stored))
                        && Stream.of(
                                        statistics.sumOfSquares(),
                                        statistics.sum(),
                                        statistics.varianceWithin(),
                                        statistics.gram())
                                .allMatch(figures -> figures == null || isFinite(figures));
        if (!finite) {
            throw new UserError(
                    "the inputs of "
                            + linear.name()
                            + " on the calibration text are not finite: NaN or infinities in an earlier tensor of the"
                            + " checkpoint, or activations beyond float32");
        }
    }

    private static boolean isFinite(StoredGram gram) {
        try (PointerScope scope = new PointerScope()) {
            return isFinite(gram.read());
        }
    }

    /** A sum is quick and finite where all its terms are, but for an overflow, which is looked into. */
    private static boolean isFinite(Tensor tensor) {
        try (PointerScope scope = new PointerScope()) {
            return Double.isFinite(tensor.sum().item_double())
                    || torch.isfinite(tensor).all().item_bool();
        }
    }
}
