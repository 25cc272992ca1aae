package org.espalier.network;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.espalier.core.tensor.Tensors;
import org.jspecify.annotations.Nullable;

/**
 * Cosines and sines of the angles that rotate queries and keys, computed in float64, kept in float32 and grown on
 * demand. Safe for use by several threads.
 */
final class RotaryTable implements AutoCloseable {
    private final double[] frequencies;
    private long positions;
    private @Nullable Tensor cosines;
    private @Nullable Tensor sines;

    RotaryTable(Rope rope, long headDim) {
        this.frequencies = rope.frequencies(headDim);
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
            Tensor swapped = input.roll(new long[] {half}, -1);
            return torch.addcmul(input.mul(cosine), swapped, sine);
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
                cosine[at + i] = (float) Math.cos(angle);
                cosine[at + half + i] = cosine[at + i];
                sine[at + half + i] = (float) Math.sin(angle);
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
