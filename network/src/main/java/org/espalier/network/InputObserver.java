package org.espalier.network;

import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/** Watches what flows into the matrices of a block while it runs. */
@FunctionalInterface
public interface InputObserver {
    /**
     * Called once for each distinct input, just before it is multiplied.
     *
     * @param readers the matrices that read this very tensor (q, k and v share theirs), in forward order
     * @param input float32 [sequences, tokens, in_features]; valid during the call only. For an expert it is [1, tokens,
     *     in_features] with the tokens that reached it, in the order of the batch; one that no token reached is not
     *     mentioned at all
     * @param lengths how many of the tokens belong to each sequence of the batch, one sequence after the other: what
     *     reached an expert need not be the same number of each, and is none of some
     */
    void input(List<Linear> readers, Tensor input, long[] lengths);

    /** Tells of an input that holds every sequence of the batch whole. */
    default void input(List<Linear> readers, Tensor input) {
        long[] lengths = new long[Math.toIntExact(input.size(0))];
        Arrays.fill(lengths, input.size(1));
        input(readers, input, lengths);
    }
}
