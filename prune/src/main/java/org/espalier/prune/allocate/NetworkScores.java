package org.espalier.prune.allocate;

import java.util.List;
import java.util.function.Consumer;
import org.bytedeco.pytorch.Tensor;

/**
 * The scores of all layers of a network, measured on the dense model. They are made when they are read, and can be read
 * as often as is needed: the same to the bit each time. Tensors are valid during the call only.
 */
public interface NetworkScores {
    /** No scores, for allocations that read none. */
    NetworkScores NONE =
            new NetworkScores() {
                @Override
                public void layers(LayerReader reader) {
                    throw new IllegalStateException("there are no scores");
                }

                @Override
                public void blocks(Consumer<List<Tensor>> reader) {
                    throw new IllegalStateException("there are no scores");
                }
            };

    /** Takes the score of one layer. */
    @FunctionalInterface
    interface LayerReader {
        /**
         * Reads it.
         *
         * @param layer index among all layers in forward order
         * @param score float32 [out_features, in_features]
         */
        void read(int layer, Tensor score);
    }

    /** Hands over the score of each layer in forward order; one is in memory at a time. */
    void layers(LayerReader reader);

    /** Hands over the scores of the layers of each block in order; those of one block are in memory at a time. */
    void blocks(Consumer<List<Tensor>> reader);
}
