package org.espalier.prune.solve;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.espalier.prune.solve.kernel.Kernels;

/**
 * The working memory of one thread of a sweep: {@link Kernels#ROWS} rows of a block of columns, turned so that the rows
 * lie side by side. Of a tile at the end of a matrix only the first {@code height} rows mean something; the others are
 * zero.
 */
final class Tile {
    private static final int ROWS = Kernels.ROWS;

    /** Rows that are turned round together: as many streams as the processor writes at ease. */
    private static final int TOGETHER = 4;

    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;
    private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;

    /** The weights before and in the sweep, [width, ROWS]. */
    final float[] dense;

    final float[] values;

    /** The transpose of D R_{left,B}, [width, ROWS]. */
    final float[] shifts;

    /** What {@link Kernels#visit} leaves for {@link Kernels#spread}. */
    final float[] errors = new float[Kernels.STRIP * ROWS];

    /** Marks what goes, [width, ROWS]. */
    final boolean[] gone;

    private final int width;
    private final float[] lying;
    private final byte[] marks;

    Tile(int width) {
        this.width = width;
        dense = new float[width * ROWS];
        values = new float[width * ROWS];
        shifts = new float[width * ROWS];
        gone = new boolean[width * ROWS];
        lying = new float[TOGETHER * width];
        marks = new byte[Math.max(TOGETHER * width, ROWS)];
    }

    /** Prepares for {@code height} rows. */
    void clear(int height) {
        if (height < ROWS) {
            Arrays.fill(dense, 0);
            Arrays.fill(values, 0);
            Arrays.fill(shifts, 0);
            Arrays.fill(gone, false);
        }
    }

    /**
     * Reads the dense weights.
     *
     * @param matrix float32 [out_features, in_features]
     * @param at index of the tile's first weight
     * @param columns in_features
     * @param dead per column of the block, whether its weights count as zero
     */
    void readDense(MemorySegment matrix, long at, long columns, int height, boolean[] dead) {
        for (int index = 0; index < height; index += TOGETHER) {
            int count = Math.min(TOGETHER, height - index);
            Arrays.fill(lying, 0);
            for (int row = 0; row < count; row++) {
                long start = (at + (index + row) * columns) * Float.BYTES;
                MemorySegment.copy(matrix, FLOAT, start, lying, row * width, width);
            }
            raise(lying, index, width, dense);
        }
        for (int column = 0; column < width; column++) {
            if (dead[column]) {
                Arrays.fill(dense, column * ROWS, (column + 1) * ROWS, 0);
            }
        }
    }

    /** Reads what goes from a mask, bool [out_features, in_features]. */
    void readMask(MemorySegment mask, long at, long columns, int height) {
        for (int index = 0; index < height; index++) {
            MemorySegment.copy(mask, BYTE, at + index * columns, marks, 0, width);
            for (int column = 0; column < width; column++) {
                gone[column * ROWS + index] = marks[column] == 0;
            }
        }
    }

    /** Reads what goes from the transposed mask of the block, bool [width, out_features]. */
    void readTransposedMask(MemorySegment mask, long at, long rows, int height) {
        for (int column = 0; column < width; column++) {
            MemorySegment.copy(mask, BYTE, at + column * rows, marks, 0, height);
            for (int index = 0; index < height; index++) {
                gone[column * ROWS + index] = marks[index] == 0;
            }
        }
    }

    /** Reads a transposed block, float32 [width, out_features]. */
    void readTransposed(MemorySegment block, long at, long rows, int height, float[] target) {
        for (int column = 0; column < width; column++) {
            long start = (at + column * rows) * Float.BYTES;
            MemorySegment.copy(block, FLOAT, start, target, column * ROWS, height);
        }
    }

    /** Writes a transposed block, float32 [width, out_features]. */
    void writeTransposed(float[] source, MemorySegment block, long at, long rows, int height) {
        for (int column = 0; column < width; column++) {
            long start = (at + column * rows) * Float.BYTES;
            MemorySegment.copy(source, column * ROWS, block, FLOAT, start, height);
        }
    }

    /** Writes the weights, float32 [out_features, in_features]. */
    void writeWeights(MemorySegment matrix, long at, long columns, int height) {
        for (int index = 0; index < height; index += TOGETHER) {
            lay(values, index, width, lying);
            for (int row = 0; row < Math.min(TOGETHER, height - index); row++) {
                long start = (at + (index + row) * columns) * Float.BYTES;
                MemorySegment.copy(lying, row * width, matrix, FLOAT, start, width);
            }
        }
    }

    /** Writes the mask, bool [out_features, in_features]. */
    void writeMask(MemorySegment mask, long at, long columns, int height) {
        for (int index = 0; index < height; index += TOGETHER) {
            lay(gone, index, width, marks);
            for (int row = 0; row < Math.min(TOGETHER, height - index); row++) {
                long start = at + (index + row) * columns;
                MemorySegment.copy(marks, row * width, mask, BYTE, start, width);
            }
        }
    }

    private static void raise(float[] lying, int row, int width, float[] tile) {
        int second = width;
        int third = 2 * width;
        int fourth = 3 * width;
        for (int column = 0; column < width; column++) {
            int at = column * ROWS + row;
            tile[at] = lying[column];
            tile[at + 1] = lying[second + column];
            tile[at + 2] = lying[third + column];
            tile[at + 3] = lying[fourth + column];
        }
    }

    private static void lay(float[] tile, int row, int width, float[] lying) {
        int second = width;
        int third = 2 * width;
        int fourth = 3 * width;
        for (int column = 0; column < width; column++) {
            int at = column * ROWS + row;
            lying[column] = tile[at];
            lying[second + column] = tile[at + 1];
            lying[third + column] = tile[at + 2];
            lying[fourth + column] = tile[at + 3];
        }
    }

    /** As the mask has it: 1 where a weight stays. */
    private static void lay(boolean[] gone, int row, int width, byte[] kept) {
        int second = width;
        int third = 2 * width;
        int fourth = 3 * width;
        for (int column = 0; column < width; column++) {
            int at = column * ROWS + row;
            kept[column] = (byte) (gone[at] ? 0 : 1);
            kept[second + column] = (byte) (gone[at + 1] ? 0 : 1);
            kept[third + column] = (byte) (gone[at + 2] ? 0 : 1);
            kept[fourth + column] = (byte) (gone[at + 3] ? 0 : 1);
        }
    }
}
