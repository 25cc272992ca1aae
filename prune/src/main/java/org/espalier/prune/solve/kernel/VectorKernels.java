package org.espalier.prune.solve.kernel;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** The kernels on the Vector API. Touch this class only where the module jdk.incubator.vector is present. */
public final class VectorKernels implements Kernels {
    private static final VectorSpecies<Float> SPECIES =
            FloatVector.SPECIES_PREFERRED.length() <= ROWS / 2
                    ? FloatVector.SPECIES_PREFERRED
                    : FloatVector.SPECIES_512;
    private static final int LANES = SPECIES.length();

    @Override
    public String name() {
        return "vector";
    }

    @Override
    public void choose(
            float[] tile, float[] squares, int from, int size, int removed, boolean[] gone) {
        float[] saliency = new float[size * LANES];
        for (int row = 0; row < ROWS; row += LANES) {
            for (int index = 0; index < size; index++) {
                FloatVector weight =
                        FloatVector.fromArray(SPECIES, tile, (from + index) * ROWS + row);
                weight.mul(weight).div(squares[from + index]).intoArray(saliency, index * LANES);
            }
            for (int index = 0; index < size; index++) {
                FloatVector own = FloatVector.fromArray(SPECIES, saliency, index * LANES);
                FloatVector earlier = FloatVector.zero(SPECIES);
                for (int other = 0; other < index; other++) {
                    VectorMask<Float> before =
                            FloatVector.fromArray(SPECIES, saliency, other * LANES)
                                    .compare(VectorOperators.LE, own);
                    earlier = earlier.add(1, before);
                }
                for (int other = index + 1; other < size; other++) {
                    VectorMask<Float> before =
                            FloatVector.fromArray(SPECIES, saliency, other * LANES)
                                    .compare(VectorOperators.LT, own);
                    earlier = earlier.add(1, before);
                }
                earlier.compare(VectorOperators.LT, (float) removed)
                        .intoArray(gone, (from + index) * ROWS + row);
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
        FloatVector zero = FloatVector.zero(SPECIES);
        for (int row = 0; row < ROWS; row += LANES) {
            for (int column = from; column < to; column++) {
                int at = column * ROWS + row;
                VectorMask<Float> mask = VectorMask.fromArray(SPECIES, gone, at);
                FloatVector weight = FloatVector.fromArray(SPECIES, tile, at);
                FloatVector error =
                        zero.blend(weight.div(factor[column * columns + column]), mask).neg();
                weight.blend(zero, mask).intoArray(tile, at);
                error.intoArray(errors, offset + (column - from) * ROWS + row);
                for (int later = column + 1; later < end; later++) {
                    update(tile, later * ROWS + row, error, factor[column * columns + later]);
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
        for (int row = 0; row < ROWS; row += 2 * LANES) {
            if (to - from == STRIP) {
                eight(tile, factor, columns, from, first, errors, offset, row);
            } else {
                each(tile, factor, columns, from, to, first, errors, offset, row);
            }
        }
    }

    private static void update(float[] tile, int at, FloatVector error, float coupling) {
        error.fma(
                        FloatVector.broadcast(SPECIES, coupling),
                        FloatVector.fromArray(SPECIES, tile, at))
                .intoArray(tile, at);
    }

    private static void each(
            float[] tile,
            float[] factor,
            int columns,
            int from,
            int to,
            int first,
            float[] errors,
            int offset,
            int row) {
        for (int column = from; column < to; column++) {
            int at = offset + (column - from) * ROWS + row;
            FloatVector one = FloatVector.fromArray(SPECIES, errors, at);
            FloatVector two = FloatVector.fromArray(SPECIES, errors, at + LANES);
            for (int later = first; later < columns; later++) {
                float coupling = factor[column * columns + later];
                update(tile, later * ROWS + row, one, coupling);
                update(tile, later * ROWS + row + LANES, two, coupling);
            }
        }
    }

    /** What eight columns do to one further right is summed in a register: one load and one store for eight products. */
    private static void eight(
            float[] tile,
            float[] factor,
            int columns,
            int from,
            int first,
            float[] errors,
            int offset,
            int row) {
        int start = offset + row;
        FloatVector a0 = FloatVector.fromArray(SPECIES, errors, start);
        FloatVector b0 = FloatVector.fromArray(SPECIES, errors, start + LANES);
        FloatVector a1 = FloatVector.fromArray(SPECIES, errors, start + ROWS);
        FloatVector b1 = FloatVector.fromArray(SPECIES, errors, start + ROWS + LANES);
        FloatVector a2 = FloatVector.fromArray(SPECIES, errors, start + 2 * ROWS);
        FloatVector b2 = FloatVector.fromArray(SPECIES, errors, start + 2 * ROWS + LANES);
        FloatVector a3 = FloatVector.fromArray(SPECIES, errors, start + 3 * ROWS);
        FloatVector b3 = FloatVector.fromArray(SPECIES, errors, start + 3 * ROWS + LANES);
        FloatVector a4 = FloatVector.fromArray(SPECIES, errors, start + 4 * ROWS);
        FloatVector b4 = FloatVector.fromArray(SPECIES, errors, start + 4 * ROWS + LANES);
        FloatVector a5 = FloatVector.fromArray(SPECIES, errors, start + 5 * ROWS);
        FloatVector b5 = FloatVector.fromArray(SPECIES, errors, start + 5 * ROWS + LANES);
        FloatVector a6 = FloatVector.fromArray(SPECIES, errors, start + 6 * ROWS);
        FloatVector b6 = FloatVector.fromArray(SPECIES, errors, start + 6 * ROWS + LANES);
        FloatVector a7 = FloatVector.fromArray(SPECIES, errors, start + 7 * ROWS);
        FloatVector b7 = FloatVector.fromArray(SPECIES, errors, start + 7 * ROWS + LANES);
        for (int later = first; later < columns; later++) {
            int at = later * ROWS + row;
            int coupling = from * columns + later;
            FloatVector a = FloatVector.fromArray(SPECIES, tile, at);
            FloatVector b = FloatVector.fromArray(SPECIES, tile, at + LANES);
            FloatVector u0 = FloatVector.broadcast(SPECIES, factor[coupling + 0 * columns]);
            a = a0.fma(u0, a);
            b = b0.fma(u0, b);
            FloatVector u1 = FloatVector.broadcast(SPECIES, factor[coupling + 1 * columns]);
            a = a1.fma(u1, a);
            b = b1.fma(u1, b);
            FloatVector u2 = FloatVector.broadcast(SPECIES, factor[coupling + 2 * columns]);
            a = a2.fma(u2, a);
            b = b2.fma(u2, b);
            FloatVector u3 = FloatVector.broadcast(SPECIES, factor[coupling + 3 * columns]);
            a = a3.fma(u3, a);
            b = b3.fma(u3, b);
            FloatVector u4 = FloatVector.broadcast(SPECIES, factor[coupling + 4 * columns]);
            a = a4.fma(u4, a);
            b = b4.fma(u4, b);
            FloatVector u5 = FloatVector.broadcast(SPECIES, factor[coupling + 5 * columns]);
            a = a5.fma(u5, a);
            b = b5.fma(u5, b);
            FloatVector u6 = FloatVector.broadcast(SPECIES, factor[coupling + 6 * columns]);
            a = a6.fma(u6, a);
            b = b6.fma(u6, b);
            FloatVector u7 = FloatVector.broadcast(SPECIES, factor[coupling + 7 * columns]);
            a = a7.fma(u7, a);
            b = b7.fma(u7, b);
            a.intoArray(tile, at);
            b.intoArray(tile, at + LANES);
        }
    }
}
