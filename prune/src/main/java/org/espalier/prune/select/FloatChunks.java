package org.espalier.prune.select;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/** Many float32 values, read piece by piece as ints that compare like the floats; no copy of the whole is made. */
public interface FloatChunks {
    /** Number of pieces. */
    long chunks();

    /** Length of the longest piece. */
    int width();

    /**
     * Reads one piece as {@link OrderStatistic#key keys}.
     *
     * @param keys receives them, at least {@link #width} long
     * @return how many were read
     */
    int load(long chunk, int[] keys);

    /**
     * Some adjacent columns of a row-major matrix, a row at a time.
     *
     * @param matrix float32 values
     * @param columns columns of the matrix
     * @param from first column
     * @param to one past the last column
     */
    static FloatChunks columns(MemorySegment matrix, long columns, long from, long to) {
        long rows = matrix.byteSize() / Float.BYTES / columns;
        int width = Math.toIntExact(to - from);
        return new FloatChunks() {
            @Override
            public long chunks() {
                return rows;
            }

            @Override
            public int width() {
                return width;
            }

            @Override
            public int load(long row, int[] keys) {
                return OrderStatistic.keys(matrix, row * columns + from, width, keys);
            }
        };
    }

    /** The values of several arrays in native memory, one after the other. */
    static FloatChunks of(List<MemorySegment> arrays) {
        int width = 1 << 14;
        long[] starts = new long[arrays.size() + 1];
        for (int i = 0; i < arrays.size(); i++) {
            long values = arrays.get(i).byteSize() / Float.BYTES;
            starts[i + 1] = starts[i] + (values + width - 1) / width;
        }
        return new FloatChunks() {
            @Override
            public long chunks() {
                return starts[arrays.size()];
            }

            @Override
            public int width() {
                return width;
            }

            @Override
            public int load(long chunk, int[] keys) {
                int array = 0;
                while (starts[array + 1] <= chunk) {
                    array++;
                }
                MemorySegment values = arrays.get(array);
                long from = (chunk - starts[array]) * width;
                long left = values.byteSize() / ValueLayout.JAVA_FLOAT.byteSize() - from;
                return OrderStatistic.keys(values, from, (int) Math.min(width, left), keys);
            }
        };
    }
}
