package org.espalier.core;

/** The one rounding rule of the house: a group of {@code size} units at sparsity s loses floor(size * s) of them. */
public final class Rounding {
    /** Forgives the representation error of a product such as 0.7 * 10 without ever reaching the next unit. */
    private static final double RELATIVE_SLACK = 1e-12;

    private Rounding() {}

    /**
     * How many of {@code size} units go at the given sparsity.
     *
     * @param size number of units in the comparison group, at least 0
     * @param sparsity fraction removed, in [0, 1]
     */
    public static long removed(long size, double sparsity) {
        double exact = size * sparsity;
        return Math.min(size, (long) Math.floor(exact + exact * RELATIVE_SLACK + 1e-9));
    }
}
