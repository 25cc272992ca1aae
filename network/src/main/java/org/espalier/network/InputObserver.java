package org.espalier.network;

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
     *     in_features] with the tokens that reached it; one that no token reached is not mentioned at all
     */
    void input(List<Linear> readers, Tensor input);
}
