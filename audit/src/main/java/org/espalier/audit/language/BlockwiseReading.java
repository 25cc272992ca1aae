package org.espalier.audit.language;

import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.progress.Progress;
import org.espalier.network.Block;
import org.espalier.network.Decoder;
import org.espalier.network.Head;
import org.espalier.prune.calibrate.HiddenStates;
import org.espalier.prune.calibrate.Thrift;
import org.jspecify.annotations.Nullable;

/**
 * Takes all batches through one block after the other, so that each block is read once, and then asks the head batch by
 * batch. The logits are those of {@link Decoder#forward} to the bit, whatever is done to spare memory.
 */
final class BlockwiseReading implements Reading {
    private final Decoder decoder;
    private final HiddenStates states;

    /** Null where the head is loaded anew for each batch. */
    private final @Nullable Head head;

    private BlockwiseReading(Decoder decoder, HiddenStates states, @Nullable Head head) {
        this.decoder = decoder;
        this.states = states;
        this.head = head;
    }

    /** Runs the blocks. */
    static Reading of(
            Decoder decoder, List<List<long[]>> batches, Thrift thrift, Progress progress) {
        HiddenStates states = HiddenStates.embed(batches, decoder::embed, thrift.scratch());
        boolean done = false;
        try {
            for (int index = 0; index < decoder.blocks(); index++) {
                progress.step("measuring with block", index, decoder.blocks());
                try (Block block = decoder.block(index, thrift.loading())) {
                    advance(block, states);
                }
            }
            progress.step("measuring with block", decoder.blocks(), decoder.blocks());
            Head head = thrift.loading() == Block.Loading.WHOLE ? decoder.head() : null;
            done = true;
            return new BlockwiseReading(decoder, states, head);
        } finally {
            if (!done) {
                states.close();
            }
        }
    }

    private static void advance(Block block, HiddenStates states) {
        for (int batch = 0; batch < states.size(); batch++) {
            try (PointerScope scope = new PointerScope()) {
                states.set(batch, block.forward(states.get(batch), null));
            }
        }
    }

    @Override
    public Tensor logits(int batch) {
        Tensor hidden = states.get(batch);
        return head == null ? decoder.logits(hidden) : head.logits(hidden);
    }

    @Override
    public void close() {
        if (head != null) {
            head.close();
        }
        states.close();
    }
}
