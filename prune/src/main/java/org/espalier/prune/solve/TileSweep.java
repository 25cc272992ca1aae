package org.espalier.prune.solve;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.tensor.Parallel;
import org.espalier.core.tensor.Tensors;
import org.espalier.prune.solve.kernel.Kernels;

/** Sweeps one block of columns, {@link Kernels#ROWS} rows at a time; rows know nothing of each other. */
final class TileSweep {
    private static final int ROWS = Kernels.ROWS;

    private final Kernels kernels = Kernels.best();
    private final int from;
    private final int width;
    private final long rows;
    private final long columns;
    private final float[] inverse;
    private final boolean[] dead;
    private final float[] squares;
    private final Tensor change;
    private final MemorySegment dense;
    private final MemorySegment weights;
    private final MemorySegment mask;
    private final MemorySegment shifts;
    private final MemorySegment changes;

    /**
     * What is swept.
     *
     * @param dense float32 [out_features, in_features], contiguous
     * @param weight float32 [out_features, in_features], contiguous, receives the pruned weights
     * @param keep bool [out_features, in_features], contiguous, the mask: read where it is known, else written
     */
    record Matrices(Tensor dense, Tensor weight, Tensor keep) {}

    /**
     * Prepares the sweep of a block.
     *
     * @param from its first column
     * @param inverse U_BB, row-major [width, width]
     * @param dead per column of the block, whether no token ever used it
     * @param shift float32 [width, out_features], the transpose of D R_{left,B}
     * @param change float32 [width, out_features], receives the transpose of D
     */
    TileSweep(
            Matrices matrices,
            int from,
            float[] inverse,
            boolean[] dead,
            Tensor shift,
            Tensor change) {
        this.from = from;
        this.width = dead.length;
        this.rows = matrices.weight().size(0);
        this.columns = matrices.weight().size(1);
        this.inverse = inverse;
        this.dead = dead;
        this.change = change;
        this.dense = Tensors.segment(matrices.dense());
        this.weights = Tensors.segment(matrices.weight());
        this.mask = Tensors.segment(matrices.keep());
        this.shifts = Tensors.segment(shift);
        this.changes = Tensors.segment(change);
        this.squares = new float[width];
        for (int column = 0; column < width; column++) {
            float diagonal = inverse[column * width + column];
            squares[column] = diagonal * diagonal;
        }
    }

    /**
     * Sweeps all rows.
     *
     * @param choice finds out which weights stay
     */
    void run(SupportChoice choice) {
        switch (choice) {
            case SupportChoice.PerGroup(int size, int removed) ->
                    tiles((tile, first, height) -> {
                        arrive(tile, first, height);
                        sweep(tile, size, removed);
                        store(tile, first, height, true);
                    });
            case SupportChoice.Given _ ->
                    tiles((tile, first, height) -> {
                        arrive(tile, first, height);
                        tile.readMask(mask, at(first), columns, height);
                        sweep(tile, width, 0);
                        store(tile, first, height, false);
                    });
            case SupportChoice.PerBlock perBlock -> perBlock(perBlock);
        }
    }

    /** First all rows as the sweep finds them, so that they can be compared with each other. */
    private void perBlock(SupportChoice.PerBlock choice) {
        tiles((tile, first, height) -> {
            arrive(tile, first, height);
            tile.writeTransposed(tile.values, changes, first, rows, height);
        });
        try (PointerScope scope = new PointerScope()) {
            Tensor chosen =
                    torch.empty(new long[] {width, rows}, Tensors.options(ScalarType.Bool), null);
            choice.choose(change, squares, chosen);
            MemorySegment keep = Tensors.segment(chosen);
            tiles((tile, first, height) -> {
                tile.readDense(dense, at(first), columns, height, dead);
                tile.readTransposed(changes, first, rows, height, tile.values);
                tile.readTransposedMask(keep, first, rows, height);
                sweep(tile, width, 0);
                store(tile, first, height, true);
            });
        }
    }

    @FunctionalInterface
    private interface Job {
        void run(Tile tile, long first, int height);
    }

    private void tiles(Job job) {
        Parallel.rows(
                Math.ceilDiv(rows, ROWS),
                (long) ROWS * width * width,
                (fromTile, toTile) -> {
                    Tile tile = new Tile(width);
                    for (long index = fromTile; index < toTile; index++) {
                        long first = index * ROWS;
                        int height = (int) Math.min(ROWS, rows - first);
                        tile.clear(height);
                        job.run(tile, first, height);
                    }
                });
    }

    /** The weights as the sweep finds them: W_dense + D R_{left,B} U_BB. */
    private void arrive(Tile tile, long first, int height) {
        tile.readDense(dense, at(first), columns, height, dead);
        float[] values = tile.values;
        Arrays.fill(values, 0);
        tile.readTransposed(shifts, first, rows, height, tile.shifts);
        for (int start = 0; start < width; start += Kernels.STRIP) {
            int end = Math.min(width, start + Kernels.STRIP);
            kernels.spread(values, inverse, width, start, end, start, tile.shifts, start * ROWS);
        }
        // Added last: each product summed onto a weight would round at the weight's size.
        for (int index = 0; index < values.length; index++) {
            values[index] += tile.dense[index];
        }
    }

    /**
     * Strip by strip; a group is chosen where all before it is done.
     *
     * @param group columns of a group
     * @param removed how many of each group to choose, or 0 where the marks are there
     */
    private void sweep(Tile tile, int group, int removed) {
        // Small groups share a strip, large ones are made of several.
        int whole = group > Kernels.STRIP ? group : Kernels.STRIP / group * group;
        for (int start = 0; start < width; start += whole) {
            int end = Math.min(width, start + whole);
            for (int column = start; column < end; column += Kernels.STRIP) {
                strip(tile, column, Math.min(end, column + Kernels.STRIP), group, removed);
            }
        }
    }

    private void strip(Tile tile, int start, int end, int group, int removed) {
        for (int column = start; column < end; ) {
            int done = column % group;
            if (done == 0 && removed > 0) {
                kernels.choose(tile.values, squares, column, group, removed, tile.gone);
            }
            int to = Math.min(end, column + group - done);
            int offset = (column - start) * ROWS;
            kernels.visit(
                    tile.values, inverse, width, column, to, end, tile.gone, tile.errors, offset);
            column = to;
        }
        kernels.spread(tile.values, inverse, width, start, end, end, tile.errors, 0);
    }

    private void store(Tile tile, long first, int height, boolean marks) {
        float[] dense = tile.dense;
        for (int index = 0; index < dense.length; index++) {
            dense[index] -= tile.values[index];
        }
        tile.writeTransposed(dense, changes, first, rows, height);
        tile.writeWeights(weights, at(first), columns, height);
        if (marks) {
            tile.writeMask(mask, at(first), columns, height);
        }
    }

    /** Elements before the block in a row of a whole matrix. */
    private long at(long row) {
        return row * columns + from;
    }
}
