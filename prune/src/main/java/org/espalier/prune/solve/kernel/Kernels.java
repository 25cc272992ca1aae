package org.espalier.prune.solve.kernel;

import org.espalier.core.UserError;
import org.jspecify.annotations.Nullable;

/**
 * The inner loop of optimal brain surgery on one row of a block of columns, small enough to stay in the first-level
 * cache. {@link ScalarKernels} is the reference; {@link VectorKernels} does the same in vectors of lanes. Every element
 * goes through the same rounded operations in the same order, so both agree to the bit. Implementations are stateless.
 */
public interface Kernels {
    /** The system property that forces an implementation: {@code scalar} or {@code vector}. */
    String PROPERTY = "espalier.kernels";

    /** Name of the implementation, as {@link #PROPERTY} takes it. */
    String name();

    /**
     * Removes the unmarked weights of the columns [from, to) one after the other, from left to right, and lets all
     * columns further right make up for each: with e = w_j / U_jj, w -= e U_j. A removed weight ends as +0; a kept one
     * has error 0.
     *
     * @param weights rows of a block, one after the other; one of them is changed in place
     * @param start index of its first weight; also in {@code keep} and {@code errors}
     * @param factor upper triangular U of the block, row-major [columns, columns]; zeros below its diagonal
     * @param columns width of the block
     * @param from first column to visit
     * @param to end of the columns to visit
     * @param keep per weight 1 where it stays and 0 where it goes
     * @param errors receives e per visited weight, for the columns beyond the block
     */
    void sweep(
            float[] weights,
            int start,
            float[] factor,
            int columns,
            int from,
            int to,
            byte[] keep,
            float[] errors);

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
