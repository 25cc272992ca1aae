package org.espalier.prune.solve.kernel;

import static org.bytedeco.openblas.global.openblas.LAPACKE_dpotrf;
import static org.bytedeco.openblas.global.openblas.LAPACKE_dpotrs;
import static org.bytedeco.openblas.global.openblas.LAPACK_COL_MAJOR;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.tensor.Parallel;
import org.espalier.core.tensor.Tensors;
import org.espalier.prune.layer.NumericFailure;

/**
 * The exact refit of the survivors: for every row the weights v on its support S that least disturb the layer's output,
 * min (v - w)^T (G + damping) (v - w), by the normal equations (G + damping)_SS v_S = ((G + damping) w)_S. This is what
 * the optimal brain surgeon reaches when it removes all weights outside S jointly (card sparsegpt, small-scale check).
 *
 * <p>Solved in float64 by one Cholesky factorization per distinct support, so that rows with equal masks share theirs;
 * unstructured masks share nothing, and a matrix of r rows costs about r s^3 / 3 multiplications for s survivors a row:
 * 12 TFLOP for 4096 x 4096 at half density, a minute or two on a small machine.
 *
 * <p>Where the tokens do not determine the survivors, the damping grows until they do; it pulls towards the dense
 * weights, as the Gram matrix does.
 */
public final class MaskedLeastSquares {
    /** A pivot below this fraction of the mean diagonal is rounding error of a float32 Gram matrix. */
    private static final double NOISE = 1e-6;

    private static final double FIRST_RETRY = 1e-4;

    /** Numbers on the right sides that are solved for together: 8 MiB. */
    private static final int SIDES = 1 << 20;

    /** What the lists and maps of the heap take for a row whose mask no other row has. */
    private static final long ROW_BYTES = 256;

    private final MemorySegment gram;
    private final MemorySegment weights;
    private final MemorySegment targets;
    private final MemorySegment result;
    private final int columns;
    private final double meanDiagonal;
    private final double damping;

    private MaskedLeastSquares(
            Tensor gram, Tensor weight, Tensor target, Tensor result, double damping) {
        this.gram = Tensors.segment(gram);
        this.weights = Tensors.segment(weight);
        this.targets = Tensors.segment(target);
        this.result = Tensors.segment(result);
        this.columns = Math.toIntExact(gram.size(0));
        this.meanDiagonal = gram.diagonal().mean().item_double();
        this.damping = damping;
    }

    /**
     * Bytes that a refit takes beside the Gram matrix, the weights and the masks that it is given.
     *
     * @param threads that factor at the same time
     */
    public static long bytes(long rows, long columns, int threads) {
        long square = columns * columns;
        long whole = Double.BYTES * (square + 2 * rows * columns) + Float.BYTES * rows * columns;
        // A matrix of survivors, counted as if nothing were removed, right sides, columns.
        long each =
                Double.BYTES * (square + Math.min(SIDES, rows * columns) + columns)
                        + Integer.BYTES * columns;
        // Per row its number, its group and its place among those of the same hash.
        return whole + threads * each + ROW_BYTES * rows;
    }

    /**
     * Refits all rows.
     *
     * @param gram X^T X, [in_features, in_features], undamped
     * @param weight the dense weights, [out_features, in_features]
     * @param keep bool [out_features, in_features], the supports
     * @param damping fraction of the mean diagonal that is added to the diagonal even where it is not needed
     * @return float32 [out_features, in_features], +0 outside the supports; rows that keep everything are as they were
     * @throws NumericFailure if no damping up to 1 makes the matrix positive definite
     */
    public static Tensor refit(Tensor gram, Tensor weight, Tensor keep, double damping) {
        Tensor result =
                torch.zeros(Tensors.shape(weight), Tensors.options(ScalarType.Float)).contiguous();
        try (PointerScope scope = new PointerScope()) {
            Tensor plain =
                    gram.contiguous()
                            .to(ScalarType.Double, false, true, new MemoryFormatOptional());
            // An input that no token used is free: any positive diagonal leaves its weight as it
            // was.
            Tensor diagonal = plain.diagonal();
            double mean = diagonal.mean().item_double();
            diagonal.masked_fill_(diagonal.eq(new Scalar(0.0)), new Scalar(mean == 0 ? 1 : mean));
            Tensor dense = weight.to(ScalarType.Double).contiguous();
            MaskedLeastSquares problem =
                    new MaskedLeastSquares(plain, dense, dense.matmul(plain), result, damping);
            Tensor masks = keep.contiguous();
            List<Rows> groups = groups(masks);
            Parallel.rows(
                    groups.size(),
                    plain.numel(),
                    (from, to) -> {
                        for (long group = from; group < to; group++) {
                            int[] rows = groups.get((int) group).rows();
                            problem.refit(rows, support(masks, rows[0]));
                        }
                    });
        }
        return result;
    }

    /** Rows that keep the same columns. */
    private static final class Rows {
        private int[] rows = new int[1];
        private int count;

        void add(int row) {
            if (count == rows.length) {
                rows = Arrays.copyOf(rows, 2 * count);
            }
            rows[count++] = row;
        }

        int first() {
            return rows[0];
        }

        int[] rows() {
            return Arrays.copyOf(rows, count);
        }
    }

    /** The groups in the order of their first rows. Masks are compared where they lie: nothing is kept of a row but its number. */
    private static List<Rows> groups(Tensor keep) {
        List<Rows> groups = new ArrayList<>();
        Map<Integer, List<Rows>> alike = new HashMap<>();
        int rows = Math.toIntExact(keep.size(0));
        for (int row = 0; row < rows; row++) {
            ByteBuffer mask = mask(keep, row);
            List<Rows> candidates = alike.computeIfAbsent(mask.hashCode(), _ -> new ArrayList<>(1));
            Rows group = null;
            for (Rows candidate : candidates) {
                if (mask(keep, candidate.first()).equals(mask)) {
                    group = candidate;
                    break;
                }
            }
            if (group == null) {
                group = new Rows();
                groups.add(group);
                candidates.add(group);
            }
            group.add(row);
        }
        return groups;
    }

    private static ByteBuffer mask(Tensor keep, int row) {
        long columns = keep.size(1);
        return Tensors.segment(keep).asSlice(row * columns, columns).asByteBuffer();
    }

    private static int[] support(Tensor keep, int row) {
        ByteBuffer mask = mask(keep, row);
        int[] support = new int[mask.limit()];
        int kept = 0;
        for (int column = 0; column < support.length; column++) {
            support[kept] = column;
            kept += mask.get(column) == 0 ? 0 : 1;
        }
        return Arrays.copyOf(support, kept);
    }

    private void refit(int[] rows, int[] support) {
        if (support.length == columns) {
            copy(rows);
        } else if (support.length > 0) {
            solve(rows, support);
        }
    }

    /** Rows that keep everything. */
    private void copy(int[] rows) {
        for (int row : rows) {
            for (long at = (long) row * columns; at < (row + 1L) * columns; at++) {
                double value = weights.getAtIndex(ValueLayout.JAVA_DOUBLE, at);
                result.setAtIndex(ValueLayout.JAVA_FLOAT, at, (float) value);
            }
        }
    }

    /** Solves for all the rows with one factorization, some of them at a time. */
    private void solve(int[] rows, int[] support) {
        int size = support.length;
        int most = Math.max(1, Math.min(rows.length, SIDES / size));
        try (PointerScope scope = new PointerScope()) {
            DoublePointer matrix = new DoublePointer((long) size * size);
            double added = factor(matrix, support);
            DoublePointer sides = new DoublePointer((long) most * size);
            MemorySegment values = segment(sides, (long) most * size);
            for (int from = 0; from < rows.length; from += most) {
                int count = Math.min(most, rows.length - from);
                gather(rows, from, count, support, added, values);
                LAPACKE_dpotrs(
                        LAPACK_COL_MAJOR, (byte) 'L', size, count, matrix, size, sides, size);
                scatter(rows, from, count, support, values);
            }
        }
    }

    /** Makes the matrix hold the factor of (G + added)_SS; returns what had to be added. */
    private double factor(DoublePointer matrix, int[] support) {
        int size = support.length;
        for (double tried = damping; ; tried = Math.max(FIRST_RETRY, 10 * tried)) {
            double added = tried * meanDiagonal;
            fill(matrix, support, added);
            int info = LAPACKE_dpotrf(LAPACK_COL_MAJOR, (byte) 'L', size, matrix, size);
            if (info == 0 && smallestPivot(matrix, size) > NOISE * meanDiagonal) {
                return added;
            }
            if (info < 0 || tried >= 1) {
                throw new NumericFailure(
                        "the Gram matrix ["
                                + columns
                                + ", "
                                + columns
                                + "] is not positive definite with damping "
                                + tried);
            }
        }
    }

    /** Column-major lower triangle of (G + added)_SS. */
    private void fill(DoublePointer matrix, int[] support, double added) {
        int size = support.length;
        MemorySegment values = segment(matrix, (long) size * size);
        for (int column = 0; column < size; column++) {
            long source = (long) support[column] * columns;
            long target = (long) column * size;
            for (int row = column; row < size; row++) {
                double value = gram.getAtIndex(ValueLayout.JAVA_DOUBLE, source + support[row]);
                values.setAtIndex(
                        ValueLayout.JAVA_DOUBLE,
                        target + row,
                        row == column ? value + added : value);
            }
        }
    }

    /** (W G + added W)_S of some rows, one after the other. */
    private void gather(
            int[] rows, int from, int count, int[] support, double added, MemorySegment sides) {
        long next = 0;
        for (int index = from; index < from + count; index++) {
            for (int column : support) {
                long at = (long) rows[index] * columns + column;
                sides.setAtIndex(
                        ValueLayout.JAVA_DOUBLE,
                        next++,
                        targets.getAtIndex(ValueLayout.JAVA_DOUBLE, at)
                                + added * weights.getAtIndex(ValueLayout.JAVA_DOUBLE, at));
            }
        }
    }

    private void scatter(int[] rows, int from, int count, int[] support, MemorySegment solutions) {
        long next = 0;
        for (int index = from; index < from + count; index++) {
            for (int column : support) {
                double value = solutions.getAtIndex(ValueLayout.JAVA_DOUBLE, next++);
                result.setAtIndex(
                        ValueLayout.JAVA_FLOAT,
                        (long) rows[index] * columns + column,
                        (float) value);
            }
        }
    }

    private static MemorySegment segment(DoublePointer numbers, long count) {
        return MemorySegment.ofAddress(numbers.address()).reinterpret(count * Double.BYTES);
    }

    private static double smallestPivot(DoublePointer factor, int size) {
        double smallest = Double.POSITIVE_INFINITY;
        for (long index = 0; index < size; index++) {
            double pivot = factor.get(index * size + index);
            smallest = Math.min(smallest, pivot * pivot);
        }
        return smallest;
    }
}
