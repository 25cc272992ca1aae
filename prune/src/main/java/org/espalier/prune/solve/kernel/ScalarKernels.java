package org.espalier.prune.solve.kernel;

/** The reference: plain loops that anybody can check against the paper, always present. */
public final class ScalarKernels implements Kernels {
    @Override
    public String name() {
        return "scalar";
    }

    @Override
    public void choose(
            float[] tile, float[] squares, int from, int size, int removed, boolean[] gone) {
        float[] saliency = new float[size];
        for (int row = 0; row < ROWS; row++) {
            for (int index = 0; index < size; index++) {
                float weight = tile[(from + index) * ROWS + row];
                saliency[index] = weight * weight / squares[from + index];
            }
            for (int index = 0; index < size; index++) {
                int earlier = 0;
                for (int other = 0; other < index; other++) {
                    earlier += saliency[other] <= saliency[index] ? 1 : 0;
                }
                for (int other = index + 1; other < size; other++) {
                    earlier += saliency[other] < saliency[index] ? 1 : 0;
                }
                gone[(from + index) * ROWS + row] = earlier < removed;
            }
        }
    }

    @Override
    public void visit(
            float[] tile,
            float[] factor,
            int columns,
            int from,
            int to,
            int end,
            boolean[] gone,
            float[] errors,
            int offset) {
        for (int row = 0; row < ROWS; row++) {
            for (int column = from; column < to; column++) {
                int at = column * ROWS + row;
                float error = gone[at] ? tile[at] / factor[column * columns + column] : 0;
                if (gone[at]) {
                    tile[at] = 0;
                }
                errors[offset + (column - from) * ROWS + row] = -error;
                for (int later = column + 1; later < end; later++) {
                    int target = later * ROWS + row;
                    tile[target] = Math.fma(-error, factor[column * columns + later], tile[target]);
                }
            }
        }
    }

    @Override
    public void spread(
            float[] tile,
            float[] factor,
            int columns,
            int from,
            int to,
            int first,
            float[] errors,
            int offset) {
        for (int row = 0; row < ROWS; row++) {
            for (int later = first; later < columns; later++) {
                int target = later * ROWS + row;
                for (int column = from; column < to; column++) {
                    tile[target] =
                            Math.fma(
                                    errors[offset + (column - from) * ROWS + row],
                                    factor[column * columns + later],
                                    tile[target]);
                }
            }
        }
    }
}
