package org.espalier.network;

import org.bytedeco.pytorch.Tensor;
import org.espalier.checkpoint.Checkpoint;

/**
 * The tensors of a checkpoint as they are in the file.
 *
 * @param checkpoint stays the caller's to close
 */
public record CheckpointWeights(Checkpoint checkpoint) implements WeightSource {
    @Override
    public boolean contains(String name) {
        return checkpoint.contains(name);
    }

    @Override
    public long[] shape(String name) {
        return checkpoint.shape(name);
    }

    @Override
    public Tensor tensor(String name) {
        return checkpoint.tensor(name);
    }

    @Override
    public void release(String name) {
        checkpoint.unload(name);
    }
}
