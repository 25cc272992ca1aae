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
         * @param factor U of the block, row-major [width, width]
         * @param keep bool [out_features, width], receives the mask
         */
        void choose(Tensor weights, float[] factor, Tensor keep) {
            int width = (int) weights.size(1);
            float[] squares = new float[width];
            for (int column = 0; column < width; column++) {
                squares[column] = square(factor[column * width + column]);
            }
            try (PointerScope scope = new PointerScope()) {
                Tensor saliency = weights.square().div_(Tensors.floats(squares, width));
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
         * @param row a block of a row, as the sweep finds it
         * @param factor U of the block, row-major [width, width]
         * @param width columns of the block
         * @param from first column of the group
         * @param keep receives 1 where the weight stays and 0 where it goes
         */
        void choose(float[] row, float[] factor, int width, int from, byte[] keep) {
            for (int column = from; column < from + size; column++) {
                keep[column] = 1;
            }
            for (int count = 0; count < removed; count++) {
                int least = -1;
                float leastSaliency = Float.POSITIVE_INFINITY;
                for (int column = from; column < from + size; column++) {
                    float saliency = square(row[column]) / square(factor[column * width + column]);
                    if (keep[column] != 0 && (least < 0 || saliency < leastSaliency)) {
                        least = column;
                        leastSaliency = saliency;
                    }
                }
                keep[least] = 0;
            }
        }
    }

    private static float square(float value) {
        return value * value;
    }
}
