package org.espalier.prune.solve.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.tensor.Parallel;
import org.espalier.core.tensor.Tensors;

/**
 * J A J: all rows and all columns of a matrix in reverse order, which is its memory read from the end. Done from both
 * ends at once, so that it works in place.
 */
final class Reversal {
    private static final int PIECE = 4096;
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;

    private Reversal() {}

    /**
     * Reverses.
     *
     * @param source float32, contiguous
     * @param target as many values, contiguous; may be the source
     * @param scale factor of every value
     */
    static void run(Tensor source, Tensor target, float scale) {
        long count = source.numel();
        MemorySegment from = Tensors.segment(source);
        MemorySegment to = Tensors.segment(target);
        // With an odd count the middle value is its own mirror image and belongs to the first half.
        long half = (count + 1) / 2;
        Parallel.rows(
                Math.ceilDiv(half, PIECE),
                2 * PIECE,
                (first, last) -> {
                    float[] front = new float[PIECE];
                    float[] back = new float[PIECE];
                    float[] turned = new float[PIECE];
                    for (long piece = first; piece < last; piece++) {
                        long start = piece * PIECE;
                        int length = (int) Math.min(PIECE, half - start);
                        long mirror = count - start - length;
                        MemorySegment.copy(from, FLOAT, start * Float.BYTES, front, 0, length);
                        MemorySegment.copy(from, FLOAT, mirror * Float.BYTES, back, 0, length);
                        turn(front, turned, length, scale);
                        MemorySegment.copy(turned, 0, to, FLOAT, mirror * Float.BYTES, length);
                        turn(back, turned, length, scale);
                        MemorySegment.copy(turned, 0, to, FLOAT, start * Float.BYTES, length);
                    }
                });
    }

    private static void turn(float[] values, float[] turned, int length, float scale) {
        for (int index = 0; index < length; index++) {
            turned[index] = scale * values[length - 1 - index];
        }
    }
}
