package org.espalier.prune.solve.kernel;

/** The reference: plain loops that anybody can check against the paper, always present. */
public final class ScalarKernels implements Kernels {
    @Override
    public String name() {
        return "scalar";
    }

    @Override
    public void sweep(
            float[] weights,
            float[] factor,
            int columns,
            int from,
            int to,
            byte[] keep,
            float[] errors) {
        for (int column = from; column < to; column++) {
            if (keep[column] != 0) {
                errors[column] = 0;
                continue;
            }
            int row = column * columns;
            float error = weights[column] / factor[row + column];
            for (int later = column + 1; later < columns; later++) {
                weights[later] = Math.fma(-error, factor[row + later], weights[later]);
            }
            weights[column] = 0;
            errors[column] = error;
        }
    }
}
