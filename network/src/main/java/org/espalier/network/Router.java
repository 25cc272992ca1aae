package org.espalier.network;

import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.network.family.Experts;
import org.jspecify.annotations.Nullable;

/**
 * Chooses experts for tokens: the best scores of all (arXiv 2401.04088), or of the best groups (arXiv 2405.04434,
 * 2412.19437). Scores come before the choice, and the weights of the chosen are scores.
 *
 * @param mixture the numbers
 * @param weight [experts, hidden]
 * @param correction [experts], added to the scores for the choice alone; null: nothing is
 */
record Router(Mixture mixture, Tensor weight, @Nullable Tensor correction) {
    /** Keeps the sum of sigmoids above nothing (transformers, modeling_deepseek_v3). */
    private static final double LEAST = 1e-20;

    /**
     * The experts of each token.
     *
     * @param experts int64 [tokens, active]
     * @param weights float32 [tokens, active]
     */
    record Choice(Tensor experts, Tensor weights) {}

    /** Chooses for tokens [tokens, hidden]. */
    Choice choose(Tensor tokens) {
        Tensor products = torch.linear(tokens, weight);
        boolean sigmoid = mixture.scoring() == Experts.Scoring.SIGMOID;
        Tensor scores = sigmoid ? products.sigmoid() : products.softmax(-1);
        Tensor wanted = correction == null ? scores : scores.add(correction);
        Mixture.Groups groups = mixture.groups();
        Tensor open = groups == null ? wanted : open(wanted, groups);
        Tensor experts = torch.topk(open, mixture.active(), -1, true, true).get1();
        Tensor weights = scores.gather(1, experts);
        if (mixture.normalised()) {
            Tensor sum = weights.sum(new long[] {-1}, true, new ScalarTypeOptional());
            weights = weights.div(sigmoid ? sum.add(new Scalar(LEAST)) : sum);
        }
        double factor = mixture.factor();
        return new Choice(experts, factor == 1 ? weights : weights.mul(new Scalar(factor)));
    }

    /** The scores, with those of experts outside the best groups sunk below all others. */
    private static Tensor open(Tensor scores, Mixture.Groups groups) {
        Tensor split = scores.reshape(scores.size(0), groups.count(), -1);
        long counted = groups.rank() == Experts.GroupRank.BEST ? 1 : 2;
        Tensor rank =
                torch.topk(split, counted, -1, true, true)
                        .get0()
                        .sum(new long[] {-1}, false, new ScalarTypeOptional());
        Tensor best = torch.topk(rank, groups.active(), -1, true, true).get1();
        Tensor closed = torch.ones_like(rank).scatter(1, best, new Scalar(0.0)).to(ScalarType.Bool);
        return split.masked_fill(closed.unsqueeze(-1), new Scalar(Double.NEGATIVE_INFINITY))
                .reshape(scores.size(0), scores.size(1));
    }
}
