package org.espalier.prune.allocate;

import java.util.List;

/**
 * Spreads the budget over the layers. The {@link BudgetRestorer} makes the result exact; an allocation only says what it
 * would like. Implementations are pure, and read scores piece by piece.
 */
public interface Allocation {
    /** Which scores an allocation holds at the same time. */
    enum Reads {
        /** None at all. */
        NOTHING,
        /** Those of one layer. */
        LAYERS,
        /** Those of one block. */
        BLOCKS
    }

    /** What it reads at a time. */
    Reads reads();

    /** Whether it looks at scores, so that a dense pass must come first. */
    default boolean readsScores() {
        return reads() != Reads.NOTHING;
    }

    /**
     * The sparsity that each layer should have.
     *
     * @param layers all prunable layers, in forward order
     * @param scores theirs; not read where {@link #readsScores} is false
     * @param sparsity the overall target, in [0, 1)
     * @return a sparsity per layer, not necessarily within [0, 1) nor exactly on budget
     */
    double[] wanted(List<LayerShape> layers, NetworkScores scores, double sparsity);
}
