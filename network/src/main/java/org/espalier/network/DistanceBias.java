package org.espalier.network;

import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.tensor.Tensors;
import org.jspecify.annotations.Nullable;

/**
 * What is added to the scores of queries and keys: it depends on nothing but how far the key is behind the query, so it is
 * kept as one line per head and never as a matrix of queries and keys. Seen from the last query to the first, each row of
 * that matrix is the row before it, moved by one: a view of the line with both strides 1.
 */
final class DistanceBias {
    private final Tensor line;
    private final long heads;
    private final long length;
    private final long known;

    /**
     * @param window number of keys that a query sees, its own position included
     * @param slopes for each head how fast its scores sink with the distance; null: they do not, in any head
     * @param rows queries that are looked at together, at most
     * @param known keys that there are
     */
    DistanceBias(long window, double @Nullable [] slopes, long rows, long known) {
        this.heads = slopes == null ? 1 : slopes.length;
        this.length = known - 1 + rows;
        this.known = known;
        float[] added = new float[Math.toIntExact(heads * length)];
        for (int at = 0; at < added.length; at++) {
            long ahead = at % length - (known - 1);
            boolean seen = ahead <= 0 && -ahead < window;
            double slope = slopes == null ? 0 : slopes[(int) (at / length)];
            added[at] = seen ? (float) (slope * ahead) : Float.NEGATIVE_INFINITY;
        }
        line = Tensors.floats(added, added.length);
    }

    /**
     * The part for neighbouring queries and keys, of which the last query and the last key stand at the same position.
     *
     * @return float32 [1, heads or 1, queries, keys]: minus slope times distance, minus infinity where a query sees
     *     nothing; the queries from the last to the first
     */
    Tensor backwards(long queries, long keys) {
        return line.as_strided(
                new long[] {1, heads, queries, keys},
                new long[] {heads * length, length, 1, 1},
                new LongOptional(known - keys));
    }
}
