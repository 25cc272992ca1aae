package org.espalier.network;

import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/** The attention of one block: from normalised hidden states to what is added to them. */
sealed interface AttentionLayer permits SelfAttention, LatentAttention {
    /**
     * Attends; with a cache, to the tokens in it as well, and adds the new ones.
     *
     * @param input float32 [sequences, tokens, hidden]
     * @return the same shape
     */
    Tensor apply(Tensor input, @Nullable InputObserver observer, @Nullable KeyValueCache cache);
}
