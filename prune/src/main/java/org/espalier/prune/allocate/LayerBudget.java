package org.espalier.prune.allocate;

import org.espalier.prune.select.ComparisonGroups;

/** How much of one layer goes, moved up and down by the steps that its comparison groups allow. */
final class LayerBudget {
    private final ComparisonGroups groups;
    private final double maximum;
    private final long size;
    private double exact;
    private double sparsity;

    LayerBudget(ComparisonGroups groups, double maximum) {
        this.groups = groups;
        this.maximum = maximum;
        this.size = groups.removed(1);
    }

    long size() {
        return size;
    }

    long removed(double at) {
        return groups.removed(at);
    }

    double clamped(double wanted) {
        return Math.clamp(wanted, 0, maximum);
    }

    /** Starts at the largest count that is not above {@code wanted}, and returns it. */
    long startAt(double wanted) {
        exact = wanted;
        sparsity = groups.snapped(wanted);
        return groups.removed(sparsity);
    }

    double sparsity() {
        return sparsity;
    }

    /** Weights that the next step would remove more; 0 if the maximum is reached. */
    long stepUp() {
        double next = groups.next(sparsity);
        return next > maximum ? 0 : groups.removed(next) - groups.removed(sparsity);
    }

    /** Weights that one step back would keep more; 0 if all are kept. */
    long stepDown() {
        double previous = groups.previous(sparsity);
        return previous < 0 ? 0 : groups.removed(sparsity) - groups.removed(previous);
    }

    /** How far the layer is below its wish, in steps up; negative if it is above. */
    double remainder() {
        long step = stepUp();
        return (exact * size - groups.removed(sparsity)) / (step == 0 ? size : step);
    }

    /** Goes back to where {@link #sparsity} once was. */
    void moveTo(double earlier) {
        sparsity = earlier;
    }

    void moveUp() {
        sparsity = groups.next(sparsity);
    }

    void moveDown() {
        sparsity = groups.previous(sparsity);
    }
}
