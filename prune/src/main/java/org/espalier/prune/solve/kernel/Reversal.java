package org.espalier.prune.solve.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.tensor.Parallel;
import org.espalier.core.tensor.Tensors;

/**
 * J A J, all rows and all columns of a matrix in reverse order, of one triangle only. The other triangle of the target
 * keeps what it held or gets what nobody reads.
 */
final class Reversal {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;

    private Reversal() {}

    /**
     * The upper triangle of J A J from the lower triangle of A.
     *
     * @param source A, float32 [n, n], contiguous
     * @param target float32 [n, n], contiguous; another matrix
     * @param scale factor of every value
     */
    static void toUpper(Tensor source, Tensor target, float scale) {
        int size = Math.toIntExact(source.size(0));
        MemorySegment from = Tensors.segment(source);
        MemorySegment to = Tensors.segment(target);
        Parallel.rows(
                Math.ceilDiv(size, 2),
                2L * size,
                (first, last) -> {
                    float[] values = new float[size];
                    float[] turned = new float[size];
                    // Long and short rows in pairs, so that the pieces of all threads weigh the
                    // same.
                    for (int row = (int) first; row < last; row++) {
                        toUpper(from, to, size, row, scale, values, turned);
                        if (size - 1 - row != row) {
                            toUpper(from, to, size, size - 1 - row, scale, values, turned);
                        }
                    }
                });
    }

    private static void toUpper(
            MemorySegment from,
            MemorySegment to,
            int size,
            int row,
            float scale,
            float[] values,
            float[] turned) {
        int length = row + 1;
        int mirror = size - length;
        copy(from, at(size, row, 0), values, length);
        turn(values, turned, length, scale);
        MemorySegment.copy(turned, 0, to, FLOAT, at(size, mirror, mirror), length);
    }

    /**
     * J A J in place, both triangles.
     *
     * @param matrix A, float32 [n, n], contiguous
     * @param scale factor of every value
     */
    static void turn(Tensor matrix, float scale) {
        exchange(matrix, scale, false);
    }

    /**
     * The lower triangle of J A J from the upper triangle of A, in place.
     *
     * @param matrix A, float32 [n, n], contiguous
     */
    static void toLower(Tensor matrix) {
        exchange(matrix, 1, true);
    }

    /** Each row becomes the mirrored one, turned: whole, or from the diagonal on and then to the diagonal. */
    private static void exchange(Tensor matrix, float scale, boolean fromDiagonal) {
        int size = Math.toIntExact(matrix.size(0));
        MemorySegment segment = Tensors.segment(matrix);
        Parallel.rows(
                Math.ceilDiv(size, 2),
                2L * size,
                (first, last) -> {
                    float[] one = new float[size];
                    float[] other = new float[size];
                    float[] turned = new float[size];
                    for (int row = (int) first; row < last; row++) {
                        int mirror = size - 1 - row;
                        int oneStart = fromDiagonal ? row : 0;
                        int otherStart = fromDiagonal ? mirror : 0;
                        // Both are read before either is written: they change places.
                        copy(segment, at(size, row, oneStart), one, size - oneStart);
                        copy(segment, at(size, mirror, otherStart), other, size - otherStart);
                        turn(one, turned, size - oneStart, scale);
                        long end = at(size, mirror, 0);
                        MemorySegment.copy(turned, 0, segment, FLOAT, end, size - oneStart);
                        turn(other, turned, size - otherStart, scale);
                        long start = at(size, row, 0);
                        MemorySegment.copy(turned, 0, segment, FLOAT, start, size - otherStart);
                    }
                });
    }

    private static long at(int size, int row, int column) {
        return ((long) row * size + column) * Float.BYTES;
    }

    private static void copy(MemorySegment from, long at, float[] values, int length) {
        MemorySegment.copy(from, FLOAT, at, values, 0, length);
    }

    private static void turn(float[] values, float[] turned, int length, float scale) {
        for (int index = 0; index < length; index++) {
            turned[index] = scale * values[length - 1 - index];
        }
    }
}
