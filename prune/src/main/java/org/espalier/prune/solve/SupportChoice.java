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
         * Chooses by w^2 / U_jj^2.
         *
         * @param weights float32 [out_features, width], as the sweep finds them
         * @param squares U_jj^2 of the block
         * @param keep bool [out_features, width], receives the mask
         */
        void choose(Tensor weights, float[] squares, Tensor keep) {
            try (PointerScope scope = new PointerScope()) {
                Tensor saliency = weights.square().div_(Tensors.floats(squares, squares.length));
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

        /**
         * Chooses by w^2 / U_jj^2 within one group of a row; of equal ones the leftmost go first.
         *
         * @param weights holds the group, as the sweep finds it
         * @param from index of its first weight; also in {@code keep}
         * @param squares U_jj^2 of the block
         * @param column the group's first column in the block
         * @param saliency scratch space of {@code size}
         * @param keep receives 1 where the weight stays and 0 where it goes
         */
        void choose(
                float[] weights,
                int from,
                float[] squares,
                int column,
                float[] saliency,
                byte[] keep) {
            for (int index = 0; index < size; index++) {
                saliency[index] = square(weights[from + index]) / squares[column + index];
            }
            // Counting how many go earlier needs no unpredictable branch, unlike a search for the
            // least.
            for (int index = 0; index < size; index++) {
                int earlier = 0;
                for (int other = 0; other < index; other++) {
                    earlier += saliency[other] <= saliency[index] ? 1 : 0;
                }
                for (int other = index + 1; other < size; other++) {
                    earlier += saliency[other] < saliency[index] ? 1 : 0;
                }
                keep[from + index] = (byte) (earlier < removed ? 0 : 1);
            }
        }
    }

    private static float square(float value) {
        return value * value;
    }
}
