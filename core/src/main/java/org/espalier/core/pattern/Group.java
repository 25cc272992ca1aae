package org.espalier.core.pattern;

/** The set of weights of one matrix (or of the whole model) whose scores are compared with each other. */
public sealed interface Group {
    /** Every output row on its own (Wanda). */
    record Row() implements Group {}

    /** All weights of a matrix together (magnitude, ALPS, RIA). */
    record Layer() implements Group {}

    /** All prunable weights of the model together. */
    record Global() implements Group {}

    /**
     * Blocks of {@code width} adjacent columns over all rows (SparseGPT); the last block may be narrower.
     *
     * @param width columns per block, at least 1
     */
    record ColumnBlock(int width) implements Group {
        public ColumnBlock {
            if (width < 1) {
                throw new IllegalArgumentException("width must be at least 1 but is " + width);
            }
        }
    }
}
