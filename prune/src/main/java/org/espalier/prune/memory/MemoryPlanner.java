package org.espalier.prune.memory;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.espalier.network.Block;

/** Chooses the quickest way to prune that fits into a limit. Pure. */
public final class MemoryPlanner {
    /** Where the statistics of a block are. */
    private enum Statistics {
        TOGETHER,
        GRAM_ON_DISK,
        GROUPED
    }

    private record Way(boolean onDisk, Statistics statistics, Block.Loading loading) {
        boolean gramOnDisk() {
            return statistics == Statistics.GRAM_ON_DISK;
        }

        /** Whether it would do nothing for this run. */
        boolean isIdle(MemoryModel model) {
            return (onDisk && model.stateBytes() == 0) || (gramOnDisk() && !model.readsGram());
        }
    }

    private MemoryPlanner() {}

    /** What may be combined, from the quickest to the slowest. */
    private static List<Way> ways() {
        List<Way> ways = new ArrayList<>();
        for (Statistics statistics : Statistics.values()) {
            for (boolean onDisk : new boolean[] {false, true}) {
                for (Block.Loading loading : Block.Loading.values()) {
                    ways.add(new Way(onDisk, statistics, loading));
                }
            }
        }
        return ways;
    }

    /**
     * The way that fits with the fewest passes through the blocks, of several the first.
     *
     * @param limit bytes of resident memory
     * @return empty where none does; then {@link #least} says what would
     */
    public static Optional<MemoryPlan> within(MemoryModel model, long limit) {
        MemoryPlan best = null;
        for (Way way : ways()) {
            if (way.isIdle(model)) {
                continue;
            }
            long statistics = Long.MAX_VALUE;
            if (way.statistics() == Statistics.GROUPED) {
                MemoryEstimate least = model.estimate(way.onDisk(), 0, way.loading());
                statistics = limit - (least.total() - least.statistics());
                if (statistics < model.leastStatistics()) {
                    continue;
                }
            }
            MemoryPlan plan = plan(model, way, statistics);
            if (plan.estimate().total() <= limit
                    && (best == null || plan.passes() < best.passes())) {
                best = plan;
            }
        }
        return Optional.ofNullable(best);
    }

    /** The way that takes least memory, the quickest of several. */
    public static MemoryPlan least(MemoryModel model) {
        MemoryPlan least = plan(model, ways().getFirst(), Long.MAX_VALUE);
        for (Way way : ways()) {
            long statistics = way.statistics() == Statistics.GROUPED ? 0 : Long.MAX_VALUE;
            MemoryPlan plan = plan(model, way, statistics);
            if (!way.isIdle(model) && plan.estimate().total() < least.estimate().total()) {
                least = plan;
            }
        }
        return least;
    }

    private static MemoryPlan plan(MemoryModel model, Way way, long statistics) {
        return new MemoryPlan(
                way.onDisk(),
                way.gramOnDisk(),
                statistics,
                way.loading(),
                model.estimate(way.onDisk(), way.gramOnDisk(), statistics, way.loading()),
                model.keptBytes() + (way.gramOnDisk() ? model.gramBytes() : 0),
                way.onDisk() ? 0 : model.keptBytes(),
                model.passes(statistics));
    }
}
