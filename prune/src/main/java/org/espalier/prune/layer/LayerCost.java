package org.espalier.prune.layer;

/**
 * What a solver or a repair takes for one layer, for plans made before anything begins.
 *
 * @param bytes the most memory at a time, beside the dense matrix, the statistics and the solution
 * @param operations floating-point operations in matrix products and factorizations, a multiplication and an addition
 *     counted as two; iterations as many as there may be
 */
public record LayerCost(long bytes, double operations) {
    /** Next to nothing. */
    public static final LayerCost NONE = new LayerCost(0, 0);
}
