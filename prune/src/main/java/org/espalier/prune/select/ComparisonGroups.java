package org.espalier.prune.select;

import java.util.List;
import org.espalier.core.Rounding;
import org.espalier.core.pattern.Group;
import org.espalier.core.pattern.Pattern;

/**
 * The comparison groups into which a pattern divides a matrix: what one sparsity removes from it, and which sparsities
 * make a difference at all. A unit is a weight or, for {@link Pattern.Tiles}, a tile.
 *
 * @param kinds groups of equal size taken together
 * @param unitSize weights per unit: 1, or the weights of a whole tile (those at a ragged edge hold fewer)
 */
public record ComparisonGroups(List<Kind> kinds, long unitSize) {
    /**
     * Groups of equal size.
     *
     * @param size units in a group
     * @param count number of such groups
     */
    public record Kind(long size, long count) {}

    public ComparisonGroups {
        kinds = List.copyOf(kinds);
    }

    /** The groups of a matrix; {@link Group.Global} counts as {@link Group.Layer}, N:M needs M to divide the columns. */
    public static ComparisonGroups of(Pattern pattern, long rows, long columns) {
        return switch (pattern) {
            case Pattern.Unstructured(Group group) ->
                    new ComparisonGroups(kinds(group, rows, columns), 1);
            case Pattern.NofM(int _, int m) ->
                    new ComparisonGroups(List.of(new Kind(m, rows * (columns / m))), 1);
            case Pattern.Tiles(int tileRows, int tileColumns, Group group) ->
                    new ComparisonGroups(
                            kinds(
                                    group,
                                    Math.ceilDiv(rows, tileRows),
                                    Math.ceilDiv(columns, tileColumns)),
                            (long) tileRows * tileColumns);
        };
    }

    private static List<Kind> kinds(Group group, long rows, long columns) {
        return switch (group) {
            case Group.Row _ -> List.of(new Kind(columns, rows));
            case Group.Layer _, Group.Global _ -> List.of(new Kind(rows * columns, 1));
            case Group.ColumnBlock(int width) -> {
                Kind whole = new Kind(rows * width, columns / width);
                Kind ragged = new Kind(rows * (columns % width), 1);
                yield columns % width == 0
                        ? List.of(whole)
                        : columns < width ? List.of(ragged) : List.of(whole, ragged);
            }
        };
    }

    /** Weights that go at this sparsity, tiles counted as whole ones. */
    public long removed(double sparsity) {
        long units = 0;
        for (Kind kind : kinds) {
            units += kind.count() * Rounding.removed(kind.size(), sparsity);
        }
        return units * unitSize;
    }

    /** The least sparsity that removes as much as this one. */
    public double snapped(double sparsity) {
        double snapped = 0;
        for (Kind kind : kinds) {
            long units = Rounding.removed(kind.size(), sparsity);
            snapped = Math.max(snapped, (double) units / kind.size());
        }
        return snapped;
    }

    /** The least sparsity that removes more than this one; above 1 if nothing is left. */
    public double next(double sparsity) {
        double next = Double.POSITIVE_INFINITY;
        for (Kind kind : kinds) {
            long units = Rounding.removed(kind.size(), sparsity);
            next = Math.min(next, (units + 1.0) / kind.size());
        }
        return next;
    }

    /** The greatest of the {@link #snapped} sparsities that remove less than this one; negative if none does. */
    public double previous(double sparsity) {
        double snapped = snapped(sparsity);
        double previous = -1;
        for (Kind kind : kinds) {
            long units = Rounding.removed(kind.size(), sparsity);
            double here = (double) units / kind.size();
            previous = Math.max(previous, here < snapped ? here : (units - 1.0) / kind.size());
        }
        return previous < 0 ? -1 : previous;
    }
}
