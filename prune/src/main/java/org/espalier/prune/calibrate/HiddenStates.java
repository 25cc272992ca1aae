package org.espalier.prune.calibrate;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.tensor.Tensors;

/**
 * The hidden states of the calibration tokens between two blocks, in batches of sequences of equal length, so that no
 * token is padding. Owns its tensors.
 */
public final class HiddenStates implements AutoCloseable {
    /** Tokens that run through a block together: enough to fill a GEMM, small enough to bound the activations. */
    static final int BATCH_TOKENS = 4096;

    private final List<Tensor> batches = new ArrayList<>();

    private HiddenStates() {}

    /**
     * Embeds the sequences.
     *
     * @param embed int64 [sequences, tokens] to float32 [sequences, tokens, hidden]
     */
    public static HiddenStates embed(Calibration calibration, UnaryOperator<Tensor> embed) {
        HiddenStates states = new HiddenStates();
        List<long[]> sequences = calibration.sequences();
        for (int first = 0; first < sequences.size(); ) {
            int length = sequences.get(first).length;
            int end = first + 1;
            while (end < sequences.size()
                    && sequences.get(end).length == length
                    && (long) (end + 1 - first) * length <= BATCH_TOKENS) {
                end++;
            }
            long[] ids =
                    sequences.subList(first, end).stream()
                            .flatMapToLong(java.util.Arrays::stream)
                            .toArray();
            try (PointerScope scope = new PointerScope()) {
                states.batches.add(
                        Tensors.own(embed.apply(Tensors.longs(ids, end - first, length))));
            }
            first = end;
        }
        return states;
    }

    /** Number of batches. */
    public int size() {
        return batches.size();
    }

    /** One batch, float32 [sequences, tokens, hidden]. */
    public Tensor get(int batch) {
        return batches.get(batch);
    }

    /** Exchanges a batch; the old one is freed, the new one is owned from here on. */
    public void set(int batch, Tensor hidden) {
        Tensor old = batches.set(batch, Tensors.own(hidden));
        old.close();
    }

    @Override
    public void close() {
        batches.forEach(Tensor::close);
        batches.clear();
    }
}
