package org.espalier.network;

import org.bytedeco.pytorch.Tensor;

/** The tables of a {@link Rope}: one, or two where long texts turn by other frequencies. Safe for several threads. */
final class Rotation implements AutoCloseable {
    private final long longest;
    private final RotaryTable table;
    private final RotaryTable beyond;

    Rotation(Rope rope, long width) {
        longest = rope.scaling().longest();
        double magnitude = rope.scaling().magnitude();
        table = new RotaryTable(rope.frequencies(width), magnitude);
        beyond =
                longest == Long.MAX_VALUE
                        ? table
                        : new RotaryTable(rope.frequenciesBeyond(width), magnitude);
    }

    /**
     * Rotates by the angles of positions {@code start}, {@code start + 1}, ... of a text that ends with this input.
     *
     * @param input [sequences, tokens, heads, headDim]
     * @return the same shape
     */
    Tensor rotate(Tensor input, long start) {
        return (start + input.size(1) > longest ? beyond : table).rotate(input, start);
    }

    @Override
    public void close() {
        table.close();
        beyond.close();
    }
}
