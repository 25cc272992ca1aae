package org.espalier.prune;

import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.UserError;
import org.espalier.core.tensor.Tensors;
import org.espalier.network.Linear;
import org.espalier.prune.calibrate.LayerStatistics;
import org.espalier.prune.calibrate.StoredGram;
import org.jspecify.annotations.Nullable;

/** Refuses what no method can rank: weights and statistics that are not finite. */
final class Finite {
    static final String SCORES_BEYOND_FLOAT32 =
            "the importance scores are beyond float32, as the outputs of the dense layer must be";

    /** Of a layer's output: beside it float32 shows nothing. */
    private static final double NEGLIGIBLE = 1e-8;

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
        if (Tensors.isFinite(weight)) {
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
                (stored == null || stored.isFinite())
                        && Stream.of(
                                        statistics.sumOfSquares(),
                                        statistics.sum(),
                                        statistics.varianceWithin(),
                                        statistics.gram())
                                .allMatch(figures -> figures == null || Tensors.isFinite(figures));
        if (!finite) {
            throw new UserError(
                    "the inputs of "
                            + linear.name()
                            + " on the calibration text are not finite: NaN or infinities in an earlier tensor of the"
                            + " checkpoint, or activations whose squares are beyond float32");
        }
    }

    /**
     * Checks what the Gram matrix of a layer's inputs has lost. Features that are too small for it are as good as dead, as
     * long as no large weight makes up for that.
     *
     * @param lost {@link org.espalier.prune.calibrate.StatisticsCollector#lost}
     * @throws UserError if the layer's output depends on what was lost
     */
    static void requireSquares(
            Linear linear, Tensor weight, Tensor lost, LayerStatistics statistics) {
        try (PointerScope scope = new PointerScope()) {
            Tensor largest = weight.abs().amax(new long[] {0}, false).to(ScalarType.Double);
            Tensor present =
                    diagonal(statistics)
                            .to(ScalarType.Double)
                            .div(new Scalar((double) statistics.tokens()))
                            .sqrt();
            double missed = largest.mul(lost).max().item_double();
            if (missed > NEGLIGIBLE * largest.mul(present).max().item_double()) {
                throw refusal(
                        linear,
                        "float32 has lost the squares of its inputs, some of which are below 1e-19");
            }
        }
    }

    /**
     * Checks the scores that an allocation compares.
     *
     * @throws UserError if any is NaN or infinite
     */
    static void requireScores(Linear linear, Tensor scores) {
        if (!Tensors.isFinite(scores)) {
            throw refusal(linear, SCORES_BEYOND_FLOAT32);
        }
    }

    /**
     * Checks a layer that was rounded to the type in which it is stored.
     *
     * @throws UserError if an update has made a weight too large for that type
     */
    static void requireStored(Linear linear, Tensor stored) {
        if (!Tensors.isFinite(stored)) {
            throw refusal(
                    linear,
                    "an updated value is beyond "
                            + Tensors.type(stored)
                            + ", in which it is stored");
        }
    }

    /** What a user hears of a layer whose numbers gave out. */
    static UserError refusal(Linear linear, String reason) {
        return new UserError(
                linear.weightName()
                        + " cannot be pruned with this recipe: "
                        + reason
                        + "; use a recipe that leaves surviving weights as they are, such as magnitude");
    }

    private static Tensor diagonal(LayerStatistics statistics) {
        StoredGram stored = statistics.storedGram();
        return stored == null ? statistics.gramMatrix().diagonal() : stored.diagonal();
    }
}
