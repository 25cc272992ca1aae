package org.espalier.audit.language;

import org.bytedeco.pytorch.Tensor;
import org.espalier.network.Decoder;

/** Anything that predicts the next token. */
public interface LanguageModel {
    /** A decoder as it is; it stays the caller's to close. */
    static LanguageModel of(Decoder decoder) {
        return new LanguageModel() {
            @Override
            public int vocabulary() {
                return Math.toIntExact(decoder.config().vocabulary());
            }

            @Override
            public Tensor logits(Tensor ids) {
                return decoder.forward(ids);
            }
        };
    }

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
