package org.espalier.network;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.espalier.core.tensor.Tensors;

/**
 * Final norm and output matrix with their parameters in memory as float32. Hold one where logits are asked for again and
 * again: from a half-precision checkpoint the matrix, often the largest of all, is converted when it is loaded.
 */
public final class Head implements AutoCloseable {
    private final LoadedParameters parameters;
    private final Normalizer norm;
    private final Tensor weight;

    Head(LoadedParameters parameters, String finalNorm, String weightName) {
        this.parameters = parameters;
        this.norm = parameters.norm(finalNorm, 0);
        this.weight = parameters.read(weightName);
    }

    /**
     * Scores every token of the vocabulary as the next one.
     *
     * @param hidden float32 [..., hidden], what leaves the last block
     * @return float32 [..., vocabulary], unnormalised log-probabilities of the next token
     */
    public Tensor logits(Tensor hidden) {
        return Tensors.scoped(() -> torch.linear(norm.apply(hidden), weight));
    }

    @Override
    public void close() {
        parameters.close();
    }
}
