package org.espalier.prune.calibrate;

import java.nio.file.Path;
import org.espalier.network.Block;
import org.jspecify.annotations.Nullable;

/**
 * What a walk through a network does to spare memory. The results are the same to the bit, whatever is chosen: the same
 * sums are made in the same order.
 *
 * @param scratch file to make for the hidden states of the calibration tokens; null keeps them in memory
 * @param statisticsBytes statistics that are held at a time, in bytes; where those of a block are more, its matrices are
 *     solved in groups, each after a pass of its own through the dense block
 * @param gramScratch file to make for the Gram matrices of a block; null keeps them in memory
 * @param loading whether a block is in memory as float32 or its matrices are converted at each use
 * @param kept what the names of two files begin with in which the hidden states after the last finished block wait for a
 *     run that goes on; null keeps none
 */
public record Thrift(
        @Nullable Path scratch,
        long statisticsBytes,
        @Nullable Path gramScratch,
        Block.Loading loading,
        @Nullable Path kept) {
    /** Nothing is kept for a run that goes on. */
    public Thrift(
            @Nullable Path scratch,
            long statisticsBytes,
            @Nullable Path gramScratch,
            Block.Loading loading) {
        this(scratch, statisticsBytes, gramScratch, loading, null);
    }

    /** Everything in memory. */
    public static final Thrift NONE = new Thrift(null, Long.MAX_VALUE, null, Block.Loading.WHOLE);
}
