package org.espalier.prune.solve;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.Rounding;
import org.espalier.core.pattern.Group;
import org.espalier.core.pattern.Pattern;
import org.espalier.core.tensor.Tensors;
import org.espalier.prune.select.Selector;

/** How a sweep finds out which weights stay. */
sealed interface SupportChoice {
    /** They were chosen before: the mask is there already. */
    record Given() implements SupportChoice {}

    /**
     * The least salient weights of a block go, compared over all rows when the sweep reaches it.
     *
     * @param sparsity fraction removed per block
     */
    record PerBlock(double sparsity) implements SupportChoice {
        private static final Pattern ALL_TOGETHER = new Pattern.Unstructured(new Group.Layer());

        /**
         * Chooses by w^2 / U_jj^2; of equal ones the leftmost columns go first.
         *
         * @param weights float32 [width, out_features], the transposed block as the sweep finds it
         * @param squares U_jj^2 of the block
         * @param keep bool [width, out_features], receives the mask
         */
        void choose(Tensor weights, float[] squares, Tensor keep) {
            try (PointerScope scope = new PointerScope()) {
                Tensor saliency = weights.square().div_(Tensors.floats(squares, squares.length, 1));
                keep.copy_(Selector.select(saliency, ALL_TOGETHER, sparsity).keep());
            }
        }
    }

    /**
     * The least salient weights of every {@code size} adjacent columns of a row go, chosen when the sweep reaches them.
     *
     * @param size M of N:M
     * @param removed M - N of them
     */
    record PerGroup(int size, int removed) implements SupportChoice {
        static PerGroup of(int size, double sparsity) {
            return new PerGroup(size, (int) Rounding.removed(size, sparsity));
        }
    }
}
