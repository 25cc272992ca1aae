package org.espalier.network;

import org.bytedeco.pytorch.Tensor;

/**
 * Where a network finds its tensors by their checkpoint names: a file, a map of trainable parameters, a set of pruned
 * layers over a file. Tensors come in the dtype and the orientation of the checkpoint; the network never changes them.
 */
public interface WeightSource {
    /** Whether there is a tensor of this name. */
    boolean contains(String name);

    /** Shape of a tensor without reading it; a missing name is a {@link org.espalier.core.UserError}. */
    long[] shape(String name);

    /**
     * The tensor of this name. It belongs to the source and stays valid until the source is closed, or, where the source
     * had to convert it, to the innermost scope of the caller. It may lie over a read-only file: nobody writes to it.
     */
    Tensor tensor(String name);

    /**
     * Tells that nobody needs the tensor for the moment. A source that maps files gives the memory of its pages back, one
     * that converts tensors forgets what it made; what was handed out stays valid, and reading it again brings it back
     * from the disk.
     */
    default void release(String name) {}
}
