package org.espalier.audit.language;

import org.bytedeco.pytorch.Tensor;

/** What a model says about the batches of a text. */
public interface Reading extends AutoCloseable {
    /**
     * Scores of every possible next token, in the innermost scope of the caller.
     *
     * @param batch index of the batch
     * @return float32 [sequences, tokens, vocabulary], unnormalised; row t speaks about token t + 1
     */
    Tensor logits(int batch);

    @Override
    default void close() {}
}
