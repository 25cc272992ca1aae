package org.espalier.core.pattern;

import org.espalier.core.Rounding;

/** The shape in which weights are removed. */
public sealed interface Pattern {
    /**
     * Single weights, the least important ones of each comparison group.
     *
     * @param group which weights are compared with each other
     */
    record Unstructured(Group group) implements Pattern {}

    /**
     * N:M along the input axis: of every {@code m} adjacent columns of a row, {@code n} are kept.
     *
     * @param n weights kept, in [1, m]
     * @param m width of a group, at least 2
     */
    record NofM(int n, int m) implements Pattern {
        public NofM {
            if (m < 2 || n < 1 || n > m) {
                throw new IllegalArgumentException(
                        "N:M needs 1 <= N <= M and M >= 2 but is " + n + ":" + m);
            }
        }

        /** The N:M of a matrix to which an allocation gave this sparsity. */
        public NofM at(double sparsity) {
            return new NofM(m - Math.toIntExact(Rounding.removed(m, sparsity)), m);
        }

        /** The fraction removed, 1 - n/m. */
        public double sparsity() {
            return 1 - (double) n / m;
        }

        @Override
        public String toString() {
            return n + ":" + m;
        }
    }

    /**
     * Whole tiles of {@code rows} by {@code columns} weights; tiles at the lower and right edge may be smaller.
     *
     * @param rows rows of a tile, at least 1
     * @param columns columns of a tile, at least 1
     * @param group which tiles are compared with each other; {@link Group.Row} means one row of tiles
     */
    record Tiles(int rows, int columns, Group group) implements Pattern {
        public Tiles {
            if (rows < 1 || columns < 1) {
                throw new IllegalArgumentException(
                        "a tile has at least one weight but is " + rows + "x" + columns);
            }
        }
    }
}
