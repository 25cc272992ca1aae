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
            int start,
            float[] factor,
            int columns,
            int from,
            int to,
            byte[] keep,
            float[] errors) {
        for (int column = from; column < to; column++) {
            if (keep[start + column] != 0) {
                errors[start + column] = 0;
                continue;
            }
            int row = column * columns;
            float error = weights[start + column] / factor[row + column];
            for (int later = column + 1; later < columns; later++) {
                weights[start + later] =
                        Math.fma(-error, factor[row + later], weights[start + later]);
            }
            weights[start + column] = 0;
            errors[start + column] = error;
        }
    }
}
