package org.espalier.network;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.espalier.core.tensor.Tensors;
import org.jspecify.annotations.Nullable;

/**
 * Cosines and sines of the angles that rotate queries and keys, computed in float64, kept in float32 and grown on
 * demand. Safe for use by several threads.
 */
final class RotaryTable implements AutoCloseable {
    private final double[] frequencies;
    private final double magnitude;
    private long positions;
    private @Nullable Tensor cosines;
    private @Nullable Tensor sines;

    /**
     * @param frequencies in radians per token, one for each pair of channels; a head may be wider than they reach
     * @param magnitude what rotated channels are multiplied with
     */
    RotaryTable(double[] frequencies, double magnitude) {
        this.frequencies = frequencies;
        this.magnitude = magnitude;
    }

    /**
     * Rotates by the angles of positions {@code start}, {@code start + 1}, ...
     *
     * @param input [sequences, tokens, heads, headDim]
     * @return the same shape
     */
    Tensor rotate(Tensor input, long start) {
        return Tensors.scoped(() -> {
            long tokens = input.size(1);
            Tensor cosine;
            Tensor sine;
            synchronized (this) {
                grow(start + tokens);
                cosine = required(cosines).narrow(0, start, tokens);
                sine = required(sines).narrow(0, start, tokens);
            }
            long half = frequencies.length;
            // x cos + (-x2, x1) sin, with the minus in the table: one copy less than the textbook
            // form.
            long rest = input.size(3) - 2 * half;
            Tensor turning = rest == 0 ? input : input.narrow(3, 0, 2 * half);
            Tensor swapped = turning.roll(new long[] {half}, -1);
            Tensor turned = torch.addcmul(turning.mul(cosine), swapped, sine);
            return rest == 0
                    ? turned
                    : torch.cat(new TensorVector(turned, input.narrow(3, 2 * half, rest)), -1);
        });
    }

    private void grow(long needed) {
        if (needed <= positions) {
            return;
        }
        long target = Math.max(needed, Math.min(2 * positions, 1L << 20));
        int half = frequencies.length;
        float[] cosine = new float[Math.toIntExact(target * 2 * half)];
        float[] sine = new float[cosine.length];
        for (int position = 0, at = 0; position < target; position++, at += 2 * half) {
            for (int i = 0; i < half; i++) {
                double angle = position * frequencies[i];
                cosine[at + i] = (float) (magnitude * Math.cos(angle));
                cosine[at + half + i] = cosine[at + i];
                sine[at + half + i] = (float) (magnitude * Math.sin(angle));
                sine[at + i] = -sine[at + half + i];
            }
        }
        close();
        try (PointerScope scope = new PointerScope()) {
            cosines = Tensors.own(Tensors.floats(cosine, target, 1, 2L * half));
            sines = Tensors.own(Tensors.floats(sine, target, 1, 2L * half));
        }
        positions = target;
    }

    private static Tensor required(@Nullable Tensor table) {
        if (table == null) {
            throw new IllegalStateException("the table was closed");
        }
        return table;
    }

    @Override
    public synchronized void close() {
        if (cosines != null) {
            cosines.close();
            cosines = null;
        }
        if (sines != null) {
            sines.close();
            sines = null;
        }
        positions = 0;
    }
}
