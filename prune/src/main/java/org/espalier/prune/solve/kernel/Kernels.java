package org.espalier.prune.solve.kernel;

import org.espalier.core.UserError;
import org.jspecify.annotations.Nullable;

/**
 * The inner loops of optimal brain surgery on a tile: {@link #ROWS} rows of a block of columns, laid out column by
 * column, so that the rows lie side by side in the lanes of a vector and all take the same path. {@link ScalarKernels}
 * is the reference; {@link VectorKernels} does the same in vectors. Every element goes through the same rounded
 * operations in the same order, so both agree to the bit. Implementations are stateless.
 */
public interface Kernels {
    /** The system property that forces an implementation: {@code scalar} or {@code vector}. */
    String PROPERTY = "espalier.kernels";

    /** Rows of a tile: two vectors of the widest kind, so that one hides the latency of the other. */
    int ROWS = 32;

    /** Columns whose errors fit into the registers together: what {@link #spread} takes at once. */
    int STRIP = 8;

    /** Name of the implementation, as {@link #PROPERTY} takes it. */
    String name();

    /**
     * Marks, in each row, the least salient weights of a group of adjacent columns by w_j^2 / U_jj^2; of equal ones the
     * leftmost go first.
     *
     * @param tile weights, [columns, ROWS]
     * @param squares U_jj^2 of each column
     * @param from first column of the group
     * @param size M of N:M, columns of the group
     * @param removed M - N, how many of them go
     * @param gone [columns, ROWS], receives the marks of the group
     */
    void choose(float[] tile, float[] squares, int from, int size, int removed, boolean[] gone);

    /**
     * Removes the marked weights of the columns [from, to) one column after the other, from left to right, and lets the
     * columns further right make up for each as far as {@code end}: with e = w_j / U_jj, w -= e U_j; e = 0 where a
     * weight stays. A removed weight ends as +0.
     *
     * @param tile weights, [columns, ROWS], changed in place
     * @param factor upper triangular U of the block, row-major [columns, columns]
     * @param columns width of the block
     * @param from first column to visit
     * @param to end of the columns to visit
     * @param end end of the strip, up to which columns make up at once
     * @param gone [columns, ROWS], true where a weight goes
     * @param errors [to - from or more, ROWS] at {@code offset}, receives -e
     * @param offset where in {@code errors} the first visited column belongs
     */
    void visit(
            float[] tile,
            float[] factor,
            int columns,
            int from,
            int to,
            int end,
            boolean[] gone,
            float[] errors,
            int offset);

    /**
     * Adds what some adjacent columns have to say to the columns from {@code first} on: w += e U_j for each of them. With
     * the errors of a strip and {@code first = to} the columns right of it make up for it.
     *
     * @param tile weights, [columns, ROWS], changed in place
     * @param factor upper triangular U of the block, row-major [columns, columns], zeros below its diagonal
     * @param columns width of the block
     * @param from first column of the strip
     * @param to end of the strip
     * @param first first column that changes, at least {@code from}
     * @param errors [to - from, ROWS] at {@code offset}, the factors of the rows of U
     * @param offset where in {@code errors} those of {@code from} begin
     */
    void spread(
            float[] tile,
            float[] factor,
            int columns,
            int from,
            int to,
            int first,
            float[] errors,
            int offset);

    /** The implementation that {@link #PROPERTY} asks for, or else the fastest that this JVM can run. */
    static Kernels best() {
        return named(System.getProperty(PROPERTY));
    }

    /** The implementation of this name; null means the fastest that this JVM can run. */
    static Kernels named(@Nullable String name) {
        boolean vectors = ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
        return switch (name) {
            case null -> vectors ? new VectorKernels() : new ScalarKernels();
            case "scalar" -> new ScalarKernels();
            case "vector" -> {
                if (!vectors) {
                    throw new UserError(
                            "-D"
                                    + PROPERTY
                                    + "=vector needs the JVM option --add-modules=jdk.incubator.vector");
                }
                yield new VectorKernels();
            }
            default ->
                    throw new UserError(
                            "-D" + PROPERTY + " must be scalar or vector but is " + name);
        };
    }
}
