package org.espalier.network;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.espalier.core.tensor.Tensors;
import org.espalier.network.family.Experts;
import org.jspecify.annotations.Nullable;

/**
 * A sparse mixture of experts (arXiv 2401.04088): the router gives each token to a few experts, whose outputs are added
 * up by their weights, and a shared expert, if there is one, reads every token. An expert runs on, and its observer
 * hears of, nothing but the tokens that reached it, in the order of the batch, with their number in each sequence; an
 * expert that no token reached is passed over.
 */
final class ExpertLayer {
    private final Router router;
    private final List<FeedForward> experts = new ArrayList<>();
    private final @Nullable FeedForward shared;
    private final @Nullable Tensor sharedGate;

    ExpertLayer(
            DecoderConfig config,
            int block,
            Mixture mixture,
            Experts names,
            BlockMatrices matrices,
            LoadedParameters parameters) {
        router =
                new Router(
                        mixture,
                        parameters.module(names.router(), block),
                        names.correction() == null
                                ? null
                                : parameters.tensor(names.correction(), block));
        for (long expert = 0; expert < mixture.count(); expert++) {
            experts.add(new FeedForward(config.activation(), matrices, "experts." + expert + "."));
        }
        Experts.Shared all = names.shared();
        boolean any = all != null && mixture.sharedIntermediate() > 0;
        shared = any ? new FeedForward(config.activation(), matrices, "shared.") : null;
        sharedGate =
                all == null || all.gate() == null ? null : parameters.module(all.gate(), block);
    }

    /** [sequences, tokens, hidden] to the same shape. */
    Tensor apply(Tensor input, @Nullable InputObserver observer) {
        Tensor flat = input.reshape(-1, input.size(2));
        Router.Choice choice = router.choose(flat);
        Tensor output = torch.zeros_like(flat);
        for (int expert = 0; expert < experts.size(); expert++) {
            try (PointerScope scope = new PointerScope()) {
                // Rows of (token, rank): where this expert is among the best of a token.
                Tensor places = choice.experts().eq(new Scalar((long) expert)).nonzero();
                if (places.size(0) > 0) {
                    Tensor tokens = places.select(1, 0);
                    Tensor weight =
                            choice.weights()
                                    .index_select(0, tokens)
                                    .gather(1, places.narrow(1, 1, 1));
                    Tensor reached = flat.index_select(0, tokens).unsqueeze(0);
                    InputObserver told = observer;
                    if (observer != null) {
                        long[] lengths = lengths(tokens, input);
                        told = (readers, some, _) -> observer.input(readers, some, lengths);
                    }
                    Tensor answer = experts.get(expert).apply(reached, told).squeeze(0);
                    output.index_add_(0, tokens, answer.mul(weight));
                }
            }
        }
        Tensor mixed = output.reshape(input.size(0), input.size(1), input.size(2));
        if (shared == null) {
            return mixed;
        }
        Tensor everywhere = shared.apply(input, observer);
        return mixed.add(
                sharedGate == null
                        ? everywhere
                        : everywhere.mul(torch.linear(input, sharedGate).sigmoid()));
    }

    /**
     * How many tokens of each sequence are among the given ones.
     *
     * @param tokens int64, their indices in the batch
     * @param batch [sequences, tokens, hidden]
     */
    private static long[] lengths(Tensor tokens, Tensor batch) {
        long[] lengths = new long[Math.toIntExact(batch.size(0))];
        for (long token : Tensors.toLongs(tokens)) {
            lengths[Math.toIntExact(token / batch.size(1))]++;
        }
        return lengths;
    }
}
