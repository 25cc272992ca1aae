package org.espalier.prune.select;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Optional;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.Rounding;
import org.espalier.core.pattern.Group;
import org.espalier.core.pattern.Pattern;
import org.espalier.core.tensor.Parallel;
import org.espalier.core.tensor.Tensors;

/**
 * The one selection primitive: removes the least important units of every comparison group. Each group loses exactly
 * {@link Rounding#removed} of its units; of equal scores those that come first in row-major order go first, which is
 * what a stable ascending sort gives.
 */
public final class Selector {
    /** Up to this width, counting how many come before an element beats histograms. */
    private static final int SMALL_GROUP = 32;

    /** Bits without sign above this are NaN. */
    private static final int POSITIVE_INFINITY = Float.floatToRawIntBits(Float.POSITIVE_INFINITY);

    private Selector() {}

    /**
     * Why a matrix of this shape cannot be pruned in this pattern, in one clause; empty if it can.
     *
     * @param rows out_features
     * @param columns in_features
     */
    public static Optional<String> refusal(Pattern pattern, long rows, long columns) {
        if (pattern instanceof Pattern.NofM(int _, int m) && columns % m != 0) {
            return Optional.of(
                    pattern
                            + " needs a number of input features that "
                            + m
                            + " divides, but the matrix is "
                            + rows
                            + "x"
                            + columns);
        }
        return Optional.empty();
    }

    /**
     * Chooses what stays.
     *
     * @param score float32 [out_features, in_features], larger means more important; infinities are welcome
     * @param pattern which weights are compared and in which shape they go; {@link Group.Global} is the business of the
     *     allocation and means {@link Group.Layer} here. A column block of tiles is measured in tiles.
     * @param sparsity fraction removed from each group, in [0, 1]; for N:M usually 1 - N/M, but an allocation may ask
     *     for another N under the same M
     * @throws IllegalArgumentException if a score is NaN, or {@link #refusal} has an objection
     */
    public static Mask select(Tensor score, Pattern pattern, double sparsity) {
        requireMatrix(score);
        long rows = score.size(0);
        long columns = score.size(1);
        refusal(pattern, rows, columns)
                .ifPresent(reason -> {
                    throw new IllegalArgumentException(reason);
                });
        Tensor keep =
                Tensors.scoped(() ->
                        torch.ones(new long[] {rows, columns}, Tensors.options(ScalarType.Bool)));
        if (keep.numel() == 0) {
            return new Mask(keep);
        }
        try (PointerScope scope = new PointerScope()) {
            Tensor plain = score.contiguous();
            Job job = new Job(Tensors.segment(plain), Tensors.segment(keep), rows, columns);
            job.refuseNaN();
            switch (pattern) {
                case Pattern.Unstructured(Group group) -> job.unstructured(group, sparsity);
                case Pattern.NofM(int _, int m) -> job.rowGroups(m, Rounding.removed(m, sparsity));
                case Pattern.Tiles tiles -> job.tiles(tiles, sparsity);
            }
        }
        return new Mask(keep);
    }

    private static void requireMatrix(Tensor score) {
        if (Tensors.type(score) != ScalarType.Float || score.dim() != 2) {
            throw new IllegalArgumentException(
                    "scores are a float32 matrix but are "
                            + Tensors.type(score)
                            + " "
                            + Tensors.describe(score));
        }
    }

    private record Job(MemorySegment scores, MemorySegment keep, long rows, long columns) {
        void refuseNaN() {
            int width = Math.toIntExact(columns);
            Parallel.rows(
                    rows,
                    columns,
                    (from, to) -> {
                        int[] bits = new int[width];
                        for (long row = from; row < to; row++) {
                            long at = row * columns * Float.BYTES;
                            MemorySegment.copy(scores, ValueLayout.JAVA_INT, at, bits, 0, width);
                            if (largestMagnitude(bits) > POSITIVE_INFINITY) {
                                refuseNaN(row, bits);
                            }
                        }
                    });
        }

        private static int largestMagnitude(int[] bits) {
            int largest = 0;
            for (int value : bits) {
                largest = Math.max(largest, value & Integer.MAX_VALUE);
            }
            return largest;
        }

        private static void refuseNaN(long row, int[] bits) {
            int column = 0;
            while ((bits[column] & Integer.MAX_VALUE) <= POSITIVE_INFINITY) {
                column++;
            }
            throw new IllegalArgumentException(
                    "the score at row " + row + ", column " + column + " is NaN");
        }

        void unstructured(Group group, double sparsity) {
            switch (group) {
                case Group.Row _ ->
                        rowGroups(Math.toIntExact(columns), Rounding.removed(columns, sparsity));
                case Group.Layer _, Group.Global _ -> columnGroup(0, columns, sparsity);
                case Group.ColumnBlock(int width) -> {
                    for (long from = 0; from < columns; from += width) {
                        columnGroup(from, Math.min(from + width, columns), sparsity);
                    }
                }
            }
        }

        /** Groups of {@code width} adjacent columns within a row. */
        void rowGroups(int width, long count) {
            if (count == 0) {
                return;
            }
            Parallel.rows(
                    rows,
                    columns,
                    (fromRow, toRow) -> {
                        int[] keys = new int[width];
                        byte[] kept = new byte[width];
                        OrderStatistic.Scratch scratch = new OrderStatistic.Scratch();
                        for (long from = fromRow * columns; from < toRow * columns; from += width) {
                            OrderStatistic.keys(scores, from, width, keys);
                            if (width <= SMALL_GROUP) {
                                removeByCounting(keys, (int) count, from);
                            } else {
                                var cut = OrderStatistic.cut(keys, width, count, scratch);
                                remove(keys, width, cut.key(), cut.ties(), cut.equal(), kept, from);
                            }
                        }
                    });
        }

        /** One group of all rows and the columns {@code [from, to)}. */
        private void columnGroup(long from, long to, double sparsity) {
            long count = Rounding.removed(rows * (to - from), sparsity);
            if (count == 0) {
                return;
            }
            FloatChunks group = FloatChunks.columns(scores, columns, from, to);
            OrderStatistic.Cut cut = OrderStatistic.cut(group, count);
            // Where all that are equal go, as nearly always, nobody needs to know which come first.
            boolean allGo = cut.ties() == cut.equal();
            long[] tiesBefore = allGo ? new long[0] : tiesBefore(group, cut.key());
            Parallel.rows(
                    rows,
                    group.width(),
                    (fromRow, toRow) -> {
                        int[] keys = new int[group.width()];
                        byte[] kept = new byte[group.width()];
                        for (long row = fromRow; row < toRow; row++) {
                            int length = group.load(row, keys);
                            long ties = allGo ? cut.ties() : cut.ties() - tiesBefore[(int) row];
                            remove(
                                    keys,
                                    length,
                                    cut.key(),
                                    ties,
                                    cut.equal(),
                                    kept,
                                    row * columns + from);
                        }
                    });
        }

        private long[] tiesBefore(FloatChunks group, int key) {
            long[] ties = new long[Math.toIntExact(rows + 1)];
            Parallel.rows(
                    rows,
                    group.width(),
                    (fromRow, toRow) -> {
                        int[] keys = new int[group.width()];
                        for (long row = fromRow; row < toRow; row++) {
                            int length = group.load(row, keys);
                            for (int i = 0; i < length; i++) {
                                ties[(int) row + 1] += keys[i] == key ? 1 : 0;
                            }
                        }
                    });
            Arrays.parallelPrefix(ties, Long::sum);
            return ties;
        }

        /** Removes every smaller key and the first {@code ties} of the {@code equal} ones. */
        private void remove(
                int[] keys, int length, int key, long ties, long equal, byte[] kept, long at) {
            for (int i = 0; i < length; i++) {
                kept[i] = (byte) (keys[i] > key ? 1 : 0);
            }
            if (ties < equal) {
                long left = ties;
                for (int i = 0; i < length; i++) {
                    if (keys[i] == key && left-- <= 0) {
                        kept[i] = 1;
                    }
                }
            }
            MemorySegment.copy(kept, 0, keep, ValueLayout.JAVA_BYTE, at, length);
        }

        private void removeByCounting(int[] keys, int count, long at) {
            for (int i = 0; i < keys.length; i++) {
                int before = 0;
                for (int j = 0; j < i; j++) {
                    before += keys[j] <= keys[i] ? 1 : 0;
                }
                for (int j = i + 1; j < keys.length; j++) {
                    before += keys[j] < keys[i] ? 1 : 0;
                }
                if (before < count) {
                    keep.set(ValueLayout.JAVA_BYTE, at + i, (byte) 0);
                }
            }
        }

        void tiles(Pattern.Tiles tiles, double sparsity) {
            int tileRows = Math.toIntExact(Math.ceilDiv(rows, tiles.rows()));
            int tileColumns = Math.toIntExact(Math.ceilDiv(columns, tiles.columns()));
            double[] sums = new double[Math.multiplyExact(tileRows, tileColumns)];
            for (long i = 0; i < rows * columns; i++) {
                sums[tile(tiles, tileColumns, i)] += scores.getAtIndex(ValueLayout.JAVA_FLOAT, i);
            }
            float[] importance = new float[sums.length];
            for (int i = 0; i < sums.length; i++) {
                importance[i] = (float) sums[i];
            }
            Tensor grid = Tensors.floats(importance, tileRows, tileColumns);
            Mask kept = select(grid, new Pattern.Unstructured(tiles.group()), sparsity);
            MemorySegment keptTiles = Tensors.segment(kept.keep());
            for (long i = 0; i < rows * columns; i++) {
                byte stays = keptTiles.get(ValueLayout.JAVA_BYTE, tile(tiles, tileColumns, i));
                keep.set(ValueLayout.JAVA_BYTE, i, stays);
            }
        }

        private int tile(Pattern.Tiles tiles, int tileColumns, long element) {
            long row = element / columns / tiles.rows();
            long column = element % columns / tiles.columns();
            return (int) (row * tileColumns + column);
        }
    }
}
