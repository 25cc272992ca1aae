package org.espalier.prune.calibrate;

import org.bytedeco.pytorch.Tensor;

/** A Gram matrix that lies in a scratch file, because memory is to hold only one of its size at a time. */
public interface StoredGram {
    /**
     * X^T X over all tokens, undamped, read anew.
     *
     * @return float32 [in_features, in_features], in the innermost scope of the caller, who may write to it
     */
    Tensor read();

    /** Its diagonal, float32 [in_features], in the innermost scope of the caller. */
    Tensor diagonal();
}
