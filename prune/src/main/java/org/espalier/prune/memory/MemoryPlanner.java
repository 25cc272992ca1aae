package org.espalier.prune.memory;

import java.util.List;
import java.util.Optional;
import org.espalier.network.Block;

/** Chooses the quickest way to prune that fits into a limit. Pure. */
public final class MemoryPlanner {
    /** What may be combined, from the quickest to the slowest. */
    private static final List<Way> WAYS =
            List.of(
                    new Way(false, false, Block.Loading.WHOLE),
                    new Way(false, false, Block.Loading.ON_DEMAND),
                    new Way(true, false, Block.Loading.WHOLE),
                    new Way(true, false, Block.Loading.ON_DEMAND),
                    new Way(false, true, Block.Loading.WHOLE),
                    new Way(false, true, Block.Loading.ON_DEMAND),
                    new Way(true, true, Block.Loading.WHOLE),
                    new Way(true, true, Block.Loading.ON_DEMAND));

    private MemoryPlanner() {}

    private record Way(boolean onDisk, boolean grouped, Block.Loading loading) {}

    /**
     * The way that fits with the fewest passes through the blocks, of several the first.
     *
     * @param limit bytes of resident memory
     * @return empty where none does; then {@link #least} says what would
     */
    public static Optional<MemoryPlan> within(MemoryModel model, long limit) {
        MemoryPlan best = null;
        for (Way way : WAYS) {
            if (way.onDisk() && model.stateBytes() == 0) {
                continue;
            }
            long statistics = Long.MAX_VALUE;
            if (way.grouped()) {
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
        MemoryPlan least = plan(model, WAYS.getFirst(), Long.MAX_VALUE);
        for (Way way : WAYS) {
            MemoryPlan plan = plan(model, way, way.grouped() ? 0 : Long.MAX_VALUE);
            if (plan.estimate().total() < least.estimate().total()) {
                least = plan;
            }
        }
        return least;
    }

    private static MemoryPlan plan(MemoryModel model, Way way, long statistics) {
        return new MemoryPlan(
                way.onDisk(),
                statistics,
                way.loading(),
                model.estimate(way.onDisk(), statistics, way.loading()),
                way.onDisk() ? model.stateBytes() : 0,
                model.passes(statistics));
    }
}
