package org.espalier.audit.receipt;

/**
 * What became of one matrix.
 *
 * @param name module name in the checkpoint
 * @param block index of its decoder block, from 0
 * @param kind what it does in the block: {@code q}, {@code down}, ...
 * @param rows out_features
 * @param columns in_features
 * @param transposed whether the file stores [in_features, out_features]
 * @param pattern the pattern that it was pruned in: that of the recipe, but where N:M is mixed with its own N
 * @param wanted sparsity that the allocation gave it
 * @param removed weights removed
 * @param zerosBefore weights that were zero in the dense model
 * @param zeros weights that are zero in the file: the removed ones, and survivors that happen to be
 * @param sparsity removed / (rows * columns)
 * @param error relative squared error; see {@code errorKind}
 * @param errorKind {@code output}: ||X(W-W')^T||^2 / ||XW^T||^2 on the calibration inputs; {@code output-diagonal}: the
 *     same as if the input features were uncorrelated; {@code weight}: ||W-W'||^2 / ||W||^2
 * @param inputTokens calibration tokens that reached the layer; 0 where the recipe reads no data
 * @param biasChanged whether a bias was changed or added
 */
public record LayerEntry(
        String name,
        int block,
        String kind,
        long rows,
        long columns,
        boolean transposed,
        String pattern,
        double wanted,
        long removed,
        long zerosBefore,
        long zeros,
        double sparsity,
        double error,
        String errorKind,
        long inputTokens,
        boolean biasChanged) {
    /** Number of weights. */
    public long size() {
        return Math.multiplyExact(rows, columns);
    }
}
