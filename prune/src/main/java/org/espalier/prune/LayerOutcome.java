package org.espalier.prune;

import org.espalier.network.Linear;

/**
 * What became of one layer.
 *
 * @param linear which one
 * @param wanted the sparsity that the allocation gave it
 * @param removed number of weights removed
 * @param zerosBefore number of weights that were zero in the dense matrix; removing them changes nothing
 * @param zeros number of weights that are zero now: the removed ones, and survivors that happen to be
 * @param biasChanged whether a bias was changed or added
 * @param error relative squared error, in the measure that {@code errorKind} names; 0 for an untouched layer
 * @param errorKind what the error was measured on
 * @param inputTokens calibration tokens that reached the layer; 0 where the method reads no data
 * @param seconds time to solve the layer
 */
public record LayerOutcome(
        Linear linear,
        double wanted,
        long removed,
        long zerosBefore,
        long zeros,
        boolean biasChanged,
        double error,
        ErrorKind errorKind,
        long inputTokens,
        double seconds) {
    /** Which quadratic form the error of a layer is measured in, from the best to the plainest. */
    public enum ErrorKind {
        /** ||X (W - W')^T||^2 / ||X W^T||^2 with the whole Gram matrix of the inputs. */
        OUTPUT,
        /** The same with the diagonal of the Gram matrix only, as if the input features were uncorrelated. */
        OUTPUT_DIAGONAL,
        /** ||W - W'||^2 / ||W||^2: no inputs were seen. */
        WEIGHT
    }

    /** Fraction of weights removed. */
    public double sparsity() {
        return (double) removed / linear.size();
    }
}
