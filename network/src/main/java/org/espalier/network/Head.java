package org.espalier.network;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.espalier.core.tensor.Tensors;
import org.espalier.network.family.Family;
import org.jspecify.annotations.Nullable;

/**
 * Final norm and output matrix with their parameters in memory as float32. Hold one where logits are asked for again and
 * again: from a half-precision checkpoint the matrix, often the largest of all, is converted when it is loaded.
 */
public final class Head implements AutoCloseable {
    private final LoadedParameters parameters;
    private final @Nullable Normalizer norm;
    private final @Nullable Tensor projection;
    private final Tensor weight;
    private final @Nullable Double cap;

    Head(LoadedParameters parameters, DecoderConfig config) {
        Family.Names names = config.family().names();
        Switches switches = config.switches();
        this.parameters = parameters;
        this.norm = switches.normFirst() ? parameters.norm(names.finalNorm(), 0) : null;
        this.projection =
                names.projectOut() == null || switches.embeddingWidth() == config.hidden()
                        ? null
                        : parameters.module(names.projectOut(), 0);
        this.weight = parameters.module(config.tied() ? names.embedding() : names.head(), 0);
        this.cap = switches.logitCap();
    }

    /**
     * Scores every token of the vocabulary as the next one.
     *
     * @param hidden float32 [..., hidden], what leaves the last block
     * @return float32 [..., vocabulary], unnormalised log-probabilities of the next token
     */
    public Tensor logits(Tensor hidden) {
        return Tensors.scoped(() -> {
            Tensor input = norm == null ? hidden : norm.apply(hidden);
            input = projection == null ? input : torch.linear(input, projection);
            Tensor logits = torch.linear(input, weight);
            return cap == null ? logits : Attention.cap(logits, cap);
        });
    }

    @Override
    public void close() {
        parameters.close();
    }
}
