package org.espalier.audit.language;

import org.bytedeco.pytorch.Tensor;

/** Anything that predicts the next token. */
public interface LanguageModel {
    /** Number of tokens it knows. */
    int vocabulary();

    /**
     * Scores of every possible next token.
     *
     * @param ids int64 [sequences, tokens]
     * @return float32 [sequences, tokens, vocabulary], unnormalised; row t speaks about token t + 1
     */
    Tensor logits(Tensor ids);
}
