package org.espalier.prune;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.tensor.Tensors;
import org.espalier.network.Block;
import org.espalier.network.Linear;
import org.jspecify.annotations.Nullable;

/**
 * Solved matrices that must wait, because matrices of the same block are yet to be measured with the dense ones in
 * place. Holds them in the dtype in which they are stored.
 */
final class Replacements implements AutoCloseable {
    private final List<Replacement> waiting = new ArrayList<>();

    private record Replacement(Linear linear, Tensor weight, @Nullable Tensor bias) {
        void close() {
            weight.close();
            if (bias != null) {
                bias.close();
            }
        }
    }

    /** Keeps a matrix, and its bias if it has one. */
    void add(Linear linear, Tensor weight, @Nullable Tensor bias) {
        waiting.add(
                new Replacement(
                        linear, Tensors.own(weight), bias == null ? null : Tensors.own(bias)));
    }

    /** Puts all of them into the block, and forgets them. */
    void apply(Block block) {
        while (!waiting.isEmpty()) {
            Replacement first = waiting.removeFirst();
            block.replace(first.linear(), first.weight(), first.bias());
            first.close();
        }
    }

    @Override
    public void close() {
        waiting.forEach(Replacement::close);
        waiting.clear();
    }
}
