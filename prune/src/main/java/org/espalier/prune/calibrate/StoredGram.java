package org.espalier.prune.calibrate;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.tensor.Tensors;

/** A Gram matrix that lies in a scratch file, because memory is to hold only one of its size at a time. */
public interface StoredGram {
    /** Number of input features. */
    long columns();

    /**
     * Reads X^T X over all tokens, undamped.
     *
     * @param target float32 [in_features, in_features], contiguous, to be overwritten
     */
    void readInto(Tensor target);

    /** X^T X in memory, float32 [in_features, in_features], in the innermost scope of the caller. */
    default Tensor read() {
        long[] shape = {columns(), columns()};
        Tensor matrix = torch.empty(shape, Tensors.options(ScalarType.Float), null);
        readInto(matrix);
        return matrix;
    }

    /** Whether all its entries are numbers: neither NaN nor infinite. */
    boolean isFinite();

    /** Its diagonal, float32 [in_features], in the innermost scope of the caller. */
    Tensor diagonal();
}
