package org.espalier.prune.allocate;

import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * Spreads the budget over the layers: a summary of each block's scores, then a map from the summaries to a wanted
 * sparsity per layer. The {@link BudgetRestorer} makes the result exact; an allocation only says what it would like.
 * Implementations are pure.
 *
 * @param <S> what is remembered of a block
 */
public interface Allocation<S> {
    /** Whether {@link #summarize} looks at scores, so that a dense calibration pass must come first. */
    boolean readsScores();

    /** Whether {@link #summarize} keeps the scores themselves, so that those of the whole network are held together. */
    default boolean keepsScores() {
        return false;
    }

    /**
     * Condenses the scores of one block, measured on the dense model.
     *
     * @param scores float32 [out_features, in_features] for each layer of the block, in forward order; empty if
     *     {@link #readsScores} is false
     * @return a value that holds no tensor of the caller
     */
    S summarize(List<Tensor> scores);

    /**
     * The sparsity that each layer should have.
     *
     * @param layers all prunable layers, in forward order
     * @param summaries one per block, in order
     * @param sparsity the overall target, in [0, 1)
     * @return a sparsity per layer, not necessarily within [0, 1) nor exactly on budget
     */
    double[] wanted(List<LayerShape> layers, List<S> summaries, double sparsity);
}
