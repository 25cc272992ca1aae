package org.espalier.prune.calibrate;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.tensor.Tensors;
import org.jspecify.annotations.Nullable;

/**
 * The hidden states of the calibration tokens between two blocks, in batches of sequences of equal length, so that no
 * token is padding. They are in memory, or in a scratch file that is removed with {@link #close}.
 */
public final class HiddenStates implements AutoCloseable {
    /** Tokens that run through a block together: enough to fill a GEMM, small enough to bound the activations. */
    public static final int BATCH_TOKENS = 4096;

    private final @Nullable ScratchFile scratch;
    private final List<Tensor> batches = new ArrayList<>();
    private final List<Slot> slots = new ArrayList<>();

    /** Where a batch lies in the scratch file. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Slot(long position, long[] shape) {
        long end() {
            return position + Float.BYTES * Arrays.stream(shape).reduce(1, Math::multiplyExact);
        }
    }

    private HiddenStates(@Nullable ScratchFile scratch) {
        this.scratch = scratch;
    }

    /**
     * Embeds the sequences and keeps the states in memory.
     *
     * @param embed int64 [sequences, tokens] to float32 [sequences, tokens, hidden]
     */
    public static HiddenStates embed(Calibration calibration, UnaryOperator<Tensor> embed) {
        return embed(calibration, embed, null);
    }

    /**
     * Embeds the sequences.
     *
     * @param embed int64 [sequences, tokens] to float32 [sequences, tokens, hidden]
     * @param scratch file to make for the states, or null to keep them in memory
     */
    public static HiddenStates embed(
            Calibration calibration, UnaryOperator<Tensor> embed, @Nullable Path scratch) {
        return embed(batches(calibration.sequences()), embed, scratch);
    }

    /**
     * Embeds batches that the caller has made.
     *
     * @param batches token ids; the sequences of a batch are equally long
     * @param embed int64 [sequences, tokens] to float32 [sequences, tokens, hidden]
     * @param scratch file to make for the states, or null to keep them in memory
     */
    public static HiddenStates embed(
            List<List<long[]>> batches, UnaryOperator<Tensor> embed, @Nullable Path scratch) {
        HiddenStates states =
                new HiddenStates(
                        scratch == null || batches.isEmpty() ? null : new ScratchFile(scratch));
        boolean embedded = false;
        try {
            for (List<long[]> batch : batches) {
                long[] ids = batch.stream().flatMapToLong(Arrays::stream).toArray();
                try (PointerScope scope = new PointerScope()) {
                    Tensor tokens = Tensors.longs(ids, batch.size(), batch.getFirst().length);
                    states.add(embed.apply(tokens));
                }
            }
            embedded = true;
            return states;
        } finally {
            if (!embedded) {
                states.close();
            }
        }
    }

    /** Neighbours of equal length run together, as many as fit into a batch; a longer one runs alone. */
    public static List<List<long[]>> batches(List<long[]> sequences) {
        List<List<long[]>> batches = new ArrayList<>();
        for (int first = 0; first < sequences.size(); ) {
            int length = sequences.get(first).length;
            int end = first + 1;
            while (end < sequences.size()
                    && sequences.get(end).length == length
                    && (long) (end + 1 - first) * length <= BATCH_TOKENS) {
                end++;
            }
            batches.add(sequences.subList(first, end));
            first = end;
        }
        return batches;
    }

    private void add(Tensor hidden) {
        if (scratch == null) {
            batches.add(Tensors.own(hidden));
        } else {
            long position = slots.isEmpty() ? 0 : slots.getLast().end();
            slots.add(new Slot(position, Tensors.shape(hidden)));
            scratch.put(hidden.contiguous(), position);
        }
    }

    /** Number of batches. */
    public int size() {
        return scratch == null ? batches.size() : slots.size();
    }

    /**
     * One batch, float32 [sequences, tokens, hidden]. From memory it is valid until it is exchanged, from the scratch
     * file it belongs to the innermost scope of the caller.
     */
    public Tensor get(int batch) {
        return scratch == null
                ? batches.get(batch)
                : scratch.get(slots.get(batch).position(), slots.get(batch).shape());
    }

    /** Exchanges a batch for one of the same shape; in memory the old one is freed and the new one owned from here on. */
    public void set(int batch, Tensor hidden) {
        if (scratch == null) {
            Tensor old = batches.set(batch, Tensors.own(hidden));
            old.close();
        } else {
            scratch.put(hidden.contiguous(), slots.get(batch).position());
        }
    }

    @Override
    public void close() {
        batches.forEach(Tensor::close);
        batches.clear();
        slots.clear();
        if (scratch != null) {
            scratch.close();
        }
    }
}
