package org.espalier.prune.calibrate;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;

/**
 * What the calibration tokens said about one linear input, raw and unnormalised: the users of a statistic normalise it
 * themselves through the accessors, because methods differ in exactly that. The owner of the tensors is whoever made
 * them; they must outlive this value. Nothing here depends on how the sequences were put into batches.
 *
 * @param sequences number of sequences that the input saw a token of: all of them, but for an expert those alone of
 *     which a token reached it, as when each is run by itself (so the official codes of Wanda, SparseGPT and DSnoT)
 * @param tokens number of tokens seen
 * @param sumOfSquares float64 [in_features], or null if not gathered
 * @param sum float64 [in_features], or null
 * @param varianceWithin float64 [in_features], or null
 * @param gram float32 [in_features, in_features], X^T X over all tokens, undamped, or null
 * @param storedGram the same where it lies in a scratch file, or null
 */
public record LayerStatistics(
        long sequences,
        long tokens,
        @Nullable Tensor sumOfSquares,
        @Nullable Tensor sum,
        @Nullable Tensor varianceWithin,
        @Nullable Tensor gram,
        @Nullable StoredGram storedGram) {
    /** What a recipe gets that needs no calibration. */
    public static final LayerStatistics NONE = new LayerStatistics(0, 0, null, null, null, null);

    /** Statistics in memory. */
    public LayerStatistics(
            long sequences,
            long tokens,
            @Nullable Tensor sumOfSquares,
            @Nullable Tensor sum,
            @Nullable Tensor varianceWithin,
            @Nullable Tensor gram) {
        this(sequences, tokens, sumOfSquares, sum, varianceWithin, gram, null);
    }

    /**
     * Wanda's ||X_j||_2, float32 [in_features]: the root of the mean over sequences (not tokens) of the sum of squares.
     */
    public Tensor columnNorm() {
        return required(sumOfSquares, Statistic.SUM_OF_SQUARES)
                .div(new org.bytedeco.pytorch.Scalar((double) Math.max(1, sequences)))
                .sqrt()
                .to(ScalarType.Float);
    }

    /** Mean of each input feature over the tokens, float64 [in_features]. */
    public Tensor mean() {
        return required(sum, Statistic.SUM)
                .div(new org.bytedeco.pytorch.Scalar((double) Math.max(1, tokens)));
    }

    /** DSnoT's sigma: the mean over sequences of the sum over tokens, float64 [in_features]. */
    public Tensor meanOfSequenceSums() {
        return required(sum, Statistic.SUM)
                .div(new org.bytedeco.pytorch.Scalar((double) Math.max(1, sequences)));
    }

    /** DSnoT's variance, float64 [in_features]. */
    public Tensor variance() {
        return required(varianceWithin, Statistic.VARIANCE_WITHIN);
    }

    /** Whether X^T X was gathered. */
    public boolean hasGram() {
        return gram != null || storedGram != null;
    }

    /**
     * X^T X over all tokens, float32 [in_features, in_features], undamped; never write to it. Where it lies in a file it
     * is read into the innermost scope of the caller.
     */
    public Tensor gramMatrix() {
        return storedGram != null ? storedGram.read() : required(gram, Statistic.GRAM);
    }

    private static Tensor required(@Nullable Tensor tensor, Statistic statistic) {
        if (tensor == null) {
            throw new IllegalStateException(statistic + " was used but not declared in needs()");
        }
        return tensor;
    }
}
