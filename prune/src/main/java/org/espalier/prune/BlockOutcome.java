package org.espalier.prune;

import org.jspecify.annotations.Nullable;

/**
 * What became of one block.
 *
 * @param block index from 0
 * @param outputError ||y - y'||^2 / ||y||^2 of the block's output on the first calibration batch, dense against pruned
 *     weights on the same input; null where the pruned block was not run
 * @param forwardSeconds time in the block's forward passes, statistics included
 * @param solveSeconds time in its layer solves
 */
public record BlockOutcome(
        int block, @Nullable Double outputError, double forwardSeconds, double solveSeconds) {}
