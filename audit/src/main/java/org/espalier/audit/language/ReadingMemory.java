package org.espalier.audit.language;

import java.util.List;
import java.util.stream.IntStream;
import org.espalier.network.Block;
import org.espalier.network.Decoder;
import org.espalier.network.DecoderConfig;
import org.espalier.network.Linear;
import org.espalier.prune.memory.MemoryEstimate;
import org.espalier.prune.memory.MemoryModel;
import org.espalier.prune.memory.PassMemory;

/**
 * How much memory reading a text takes: arithmetic on shapes, nothing is read or measured.
 *
 * @param networks the models that read it side by side, one or two
 * @param batches what is read together
 */
public record ReadingMemory(List<Network> networks, List<Batch> batches) {
    private static final long FLOAT = Float.BYTES;

    /** Matrices of the size of a batch's logits: for one model the logits and their logarithms ... */
    private static final long ALONE = 3;

    /** ... for two the logarithms of both, and what their divergence is made of. */
    private static final long COMPARED = 6;

    /**
     * A model.
     *
     * @param config its numbers
     * @param blocks the prunable matrices of each block
     */
    public record Network(DecoderConfig config, List<List<Linear>> blocks) {
        public Network {
            blocks = blocks.stream().map(List::copyOf).toList();
        }

        /** The network of a decoder. */
        public static Network of(Decoder decoder) {
            return new Network(
                    decoder.config(),
                    IntStream.range(0, decoder.blocks()).mapToObj(decoder::linears).toList());
        }
    }

    /**
     * Sequences that run together.
     *
     * @param tokens in all of them
     * @param longest in one
     */
    public record Batch(long tokens, long longest) {}

    public ReadingMemory {
        networks = List.copyOf(networks);
        batches = List.copyOf(batches);
    }

    /** The memory of an {@link Evaluation}. */
    public static ReadingMemory of(List<Network> networks, List<Window> windows) {
        int vocabulary = Math.toIntExact(networks.getFirst().config().vocabulary());
        List<Batch> batches =
                Evaluation.batches(windows, vocabulary).stream()
                        .map(batch -> {
                            int length = batch.getFirst().tokens().size();
                            return new Batch((long) batch.size() * length, length);
                        })
                        .toList();
        return new ReadingMemory(networks, batches);
    }

    /** Bytes of the hidden states of all tokens, of all models. */
    public long stateBytes() {
        long tokens = batches.stream().mapToLong(Batch::tokens).sum();
        return networks.stream()
                .mapToLong(network -> FLOAT * tokens * network.config().hidden())
                .sum();
    }

    /**
     * The most memory of the reading.
     *
     * @param onDisk whether the hidden states are in a scratch file
     * @param loading how blocks and heads are loaded
     */
    public MemoryEstimate estimate(boolean onDisk, Block.Loading loading) {
        long states = onDisk ? 0 : stateBytes();
        MemoryEstimate heads =
                new MemoryEstimate(MemoryModel.RUNTIME, heads(loading), 0, states, logits());
        MemoryEstimate most = heads;
        for (Network network : networks) {
            MemoryEstimate walk =
                    new MemoryEstimate(
                            MemoryModel.RUNTIME,
                            FLOAT * (loading == Block.Loading.WHOLE ? block(network) : 0),
                            0,
                            states,
                            pass(network)
                                    + FLOAT
                                            * (loading == Block.Loading.WHOLE
                                                    ? 0
                                                    : matrix(network)));
            most = walk.total() > most.total() ? walk : most;
        }
        return most;
    }

    /** The output matrices: side by side, or one after the other. */
    private long heads(Block.Loading loading) {
        var sizes =
                networks.stream()
                        .mapToLong(network ->
                                FLOAT * network.config().vocabulary() * network.config().hidden());
        return loading == Block.Loading.WHOLE ? sizes.sum() : sizes.max().orElse(0);
    }

    private long logits() {
        long vocabulary = networks.getFirst().config().vocabulary();
        long tokens = batches.stream().mapToLong(Batch::tokens).max().orElse(0);
        return (networks.size() == 1 ? ALONE : COMPARED) * FLOAT * tokens * vocabulary;
    }

    private long pass(Network network) {
        return batches.stream()
                .mapToLong(batch ->
                        PassMemory.bytes(
                                network.config(),
                                network.blocks(),
                                batch.tokens(),
                                batch.longest()))
                .max()
                .orElse(0);
    }

    private static long block(Network network) {
        return network.blocks().stream()
                .mapToLong(block -> block.stream().mapToLong(Linear::size).sum())
                .max()
                .orElse(0);
    }

    private static long matrix(Network network) {
        return network.blocks().stream()
                .flatMap(List::stream)
                .mapToLong(Linear::size)
                .max()
                .orElse(0);
    }
}
