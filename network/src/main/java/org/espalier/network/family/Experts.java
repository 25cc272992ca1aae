package org.espalier.network.family;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A mixture of experts, each a gated MLP, in place of the MLP of some or all blocks.
 *
 * @param scoring how experts are scored; null: {@link Scoring#SOFTMAX}
 * @param count number of experts
 * @param active number of experts that each token goes to
 * @param intermediate width of an expert
 * @param normalised whether the weights of the chosen experts are made to sum to 1
 * @param factor what the weights of the chosen experts are multiplied with then; null: 1
 * @param groups groups of which only some are open to a token; null: none
 * @param firstBlock the first block that has experts; null: block 0
 * @param period only blocks whose number, counted from 0, is a multiple of it have experts; null: all
 * @param step only blocks whose number, counted from 1, is a multiple of it have experts; null: all
 * @param denseBlocks list of blocks, counted from 0, that have an MLP all the same; null: none
 * @param router pattern of the module that scores the experts; it is not pruned
 * @param correction pattern of the tensor that is added to the scores to choose experts, but not to their weights;
 *     null: none
 * @param matrices {@code gate}, {@code up} and {@code down} of expert {@code {expert}}
 * @param shared the expert that every token goes to; null: none
 */
public record Experts(
        @Nullable Scoring scoring,
        Setting count,
        Setting active,
        Setting intermediate,
        Setting normalised,
        @Nullable Setting factor,
        @Nullable Groups groups,
        @Nullable Setting firstBlock,
        @Nullable Setting period,
        @Nullable Setting step,
        @Nullable Setting denseBlocks,
        String router,
        @Nullable String correction,
        Map<String, Family.Matrix> matrices,
        @Nullable Shared shared) {
    /** How a router turns the products with its rows into scores. */
    public enum Scoring {
        /** All scores of a token sum to 1. */
        SOFTMAX,
        /** Each score is by itself between 0 and 1. */
        SIGMOID
    }

    /** By what a group of experts is chosen. */
    public enum GroupRank {
        /** The best score in it. */
        BEST,
        /** The sum of the two best. */
        BEST_TWO
    }

    /**
     * Groups of neighbouring experts: each token first chooses groups, then experts in them (arXiv 2405.04434).
     *
     * @param method name of the way to choose: {@code greedy} ignores the groups, {@code group_limited_greedy} heeds
     *     them; null: they are always heeded
     * @param count number of groups
     * @param active number of groups that are open to a token
     * @param rank by what they are chosen
     */
    public record Groups(@Nullable Setting method, Setting count, Setting active, GroupRank rank) {}

    /**
     * An expert that every token goes to.
     *
     * @param intermediate its width, or that of one of {@code count}
     * @param count number of experts that are stored as one, side by side; null in config.json means none at all. Null
     *     here: it is one
     * @param gate pattern of the module whose sigmoid is its weight; it is not pruned. Null: its weight is 1
     * @param matrices {@code gate}, {@code up} and {@code down}
     */
    public record Shared(
            Setting intermediate,
            @Nullable Setting count,
            @Nullable String gate,
            Map<String, Family.Matrix> matrices) {}
}
