package org.espalier.network;

import java.util.List;
import org.espalier.network.family.Experts;
import org.jspecify.annotations.Nullable;

/**
 * The numbers of a mixture of experts.
 *
 * @param scoring how a router scores experts
 * @param count number of experts
 * @param active number of experts that each token goes to, at most {@code count}
 * @param intermediate width of an expert
 * @param sharedIntermediate width of the expert that every token goes to; 0 where there is none
 * @param normalised whether the weights of the chosen experts are made to sum to 1
 * @param factor what these weights are multiplied with then
 * @param groups groups of experts of which only some are open to a token; null: all experts are
 * @param inBlock for each block whether it has experts; the others have an MLP
 */
public record Mixture(
        Experts.Scoring scoring,
        long count,
        long active,
        long intermediate,
        long sharedIntermediate,
        boolean normalised,
        double factor,
        @Nullable Groups groups,
        List<Boolean> inBlock) {
    public Mixture {
        inBlock = List.copyOf(inBlock);
    }

    /**
     * Groups of neighbouring experts, all of one size.
     *
     * @param count number of groups; divides that of the experts
     * @param active number of groups that are open to a token; their experts are enough
     * @param rank by what they are chosen
     */
    public record Groups(long count, long active, Experts.GroupRank rank) {}
}
