package org.espalier.prune.solve.kernel;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** The kernels on the Vector API. Touch this class only where the module jdk.incubator.vector is present. */
public final class VectorKernels implements Kernels {
    private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
    private static final int LANES = SPECIES.length();

    @Override
    public String name() {
        return "vector";
    }

    @Override
    public void sweep(
            float[] weights,
            int start,
            float[] factor,
            int columns,
            int from,
            int to,
            byte[] keep,
            float[] errors) {
        int bound = SPECIES.loopBound(columns);
        for (int column = from; column < to; column++) {
            if (keep[start + column] != 0) {
                errors[start + column] = 0;
                continue;
            }
            int row = column * columns;
            float error = weights[start + column] / factor[row + column];
            FloatVector negated = FloatVector.broadcast(SPECIES, -error);
            // From the vector that holds the diagonal: left of it the factor is zero and changes
            // nothing.
            int later = column - column % LANES;
            for (; later < bound; later += LANES) {
                negated.fma(
                                FloatVector.fromArray(SPECIES, factor, row + later),
                                FloatVector.fromArray(SPECIES, weights, start + later))
                        .intoArray(weights, start + later);
            }
            for (later = Math.max(later, column + 1); later < columns; later++) {
                weights[start + later] =
                        Math.fma(-error, factor[row + later], weights[start + later]);
            }
            weights[start + column] = 0;
            errors[start + column] = error;
        }
    }
}
