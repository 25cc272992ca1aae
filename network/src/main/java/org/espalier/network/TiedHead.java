package org.espalier.network;

import java.util.Arrays;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.network.family.Family;

/** A head beside an embedding that config.json ties it to. */
final class TiedHead {
    private static final long ROWS = 1024;

    private TiedHead() {}

    /**
     * Whether the weights have both, and different values in them. The stored head is then the head, as in transformers
     * 5; transformers 4 wrote the embedding over it.
     */
    static boolean isContradicted(Family family, Checkpoint checkpoint) {
        String head = family.names().head() + ".weight";
        String embedding = family.names().embedding() + ".weight";
        String prefix = family.optionalPrefix();
        if (!checkpoint.contains(embedding) && prefix != null && embedding.startsWith(prefix)) {
            embedding = embedding.substring(prefix.length());
        }
        if (!checkpoint.contains(head) || !checkpoint.contains(embedding)) {
            return false;
        }
        boolean alike =
                checkpoint.dtype(head) == checkpoint.dtype(embedding)
                        && Arrays.equals(checkpoint.shape(head), checkpoint.shape(embedding));
        boolean differs = !alike || differs(checkpoint, head, embedding);
        checkpoint.unload(head);
        checkpoint.unload(embedding);
        return differs;
    }

    private static boolean differs(Checkpoint checkpoint, String head, String embedding) {
        try (PointerScope scope = new PointerScope()) {
            Tensor one = checkpoint.tensor(head);
            Tensor other = checkpoint.tensor(embedding);
            long rows = checkpoint.shape(head).length == 0 ? 0 : checkpoint.shape(head)[0];
            for (long from = 0; from < rows; from += ROWS) {
                long count = Math.min(ROWS, rows - from);
                try (PointerScope piece = new PointerScope()) {
                    if (!one.narrow(0, from, count).equal(other.narrow(0, from, count))) {
                        return true;
                    }
                }
            }
        }
        return false;
    }
}
