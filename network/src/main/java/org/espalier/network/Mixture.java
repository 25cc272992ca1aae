package org.espalier.network;

import java.util.List;

/**
 * The numbers of a mixture of experts.
 *
 * @param count number of experts
 * @param active number of experts that each token goes to, at most {@code count}
 * @param intermediate width of an expert
 * @param sharedIntermediate width of the expert that every token goes to; 0 where the family has none
 * @param normalised whether the weights of the chosen experts are made to sum to 1
 * @param inBlock for each block whether it has experts; the others have an MLP
 */
public record Mixture(
        long count,
        long active,
        long intermediate,
        long sharedIntermediate,
        boolean normalised,
        List<Boolean> inBlock) {
    public Mixture {
        inBlock = List.copyOf(inBlock);
    }
}
