package org.espalier.prune.memory;

import java.util.List;
import org.espalier.network.DecoderConfig;
import org.espalier.network.Linear;
import org.espalier.network.Mixture;

/** What running a batch through a block takes beside the block itself. Pure. */
public final class PassMemory {
    private PassMemory() {}

    /**
     * Bytes of the intermediate results of one batch, its input and its output.
     *
     * @param blocks the prunable matrices of each block
     * @param tokens in all sequences of the batch
     * @param longest tokens of its longest sequence
     */
    public static long bytes(
            DecoderConfig config, List<List<Linear>> blocks, long tokens, long longest) {
        long hidden = config.hidden();
        long queries = config.heads() * config.headDim();
        long keys = config.kvHeads() * config.headDim();
        long attention = 2 * hidden + 7 * queries + 4 * keys;
        long mlp = 2 * hidden + 3 * widest(blocks) + routed(config);
        // The input, the sum after the attention, what the attention gave, the first dense output.
        long around = 4 * hidden;
        long sequences = Math.ceilDiv(tokens, Math.max(1, longest));
        return Float.BYTES * tokens * (around + Math.max(attention, mlp))
                + config.scoreBytes(sequences, longest);
    }

    /**
     * What experts take beside an MLP: the router's scores in their stages, what reaches an expert, what it answers and how
     * that is weighed, counted as if every token reached the same one.
     */
    private static long routed(DecoderConfig config) {
        Mixture mixture = config.mixture();
        return mixture == null ? 0 : 6 * mixture.count() + 3 * config.hidden();
    }

    /** The widest input or output of a matrix that is not the attention's. */
    private static long widest(List<List<Linear>> blocks) {
        return blocks.stream()
                .flatMap(List::stream)
                .filter(linear -> !linear.kind().equals("qkv"))
                .mapToLong(linear -> Math.max(linear.rows(), linear.columns()))
                .max()
                .orElse(0);
    }
}
