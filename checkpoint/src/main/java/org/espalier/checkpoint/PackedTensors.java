package org.espalier.checkpoint;

import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/** Tensors that do not lie in their files as they are handed out: each is made from several that do. */
interface PackedTensors {
    /** All tensors by the names that a reader asks for, those that lie there in full included. */
    Map<String, TensorInfo> tensors();

    /** Whether a tensor has to be made. */
    boolean isPacked(String name);

    /** Makes a packed tensor, in the innermost scope of the caller; parts that do not fit are a user's error. */
    Tensor expand(String name);

    /** Bytes of the tensors by the name of the type that they are stored in. */
    Map<String, Long> bytesByType();
}
