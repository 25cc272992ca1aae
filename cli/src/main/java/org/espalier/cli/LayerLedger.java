package org.espalier.cli;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.audit.receipt.LayerEntry;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.core.tensor.Tensors;
import org.espalier.network.Linear;
import org.espalier.prune.CheckpointSink;
import org.espalier.prune.LayerOutcome;
import org.espalier.prune.LayerSink;
import org.jspecify.annotations.Nullable;

/** Writes finished layers and notes for the receipt what can only be seen while they pass. */
final class LayerLedger implements LayerSink {
    private final CheckpointSink sink;
    private final Checkpoint dense;
    private final Map<String, Long> zeros = new HashMap<>();
    private final Map<String, Boolean> biasChanged = new HashMap<>();

    LayerLedger(CheckpointSink sink, Checkpoint dense) {
        this.sink = sink;
        this.dense = dense;
    }

    /** The dtype that a matrix is stored in. */
    ScalarType storage(Linear linear) {
        return sink.storage(linear);
    }

    @Override
    public void write(Linear linear, Tensor weight, @Nullable Tensor bias) {
        try (PointerScope scope = new PointerScope()) {
            zeros.put(linear.name(), Tensors.countTrue(weight.eq(new Scalar(0.0))));
            biasChanged.put(linear.name(), bias != null && differs(linear, bias));
        }
        sink.write(linear, weight, bias);
    }

    private boolean differs(Linear linear, Tensor bias) {
        if (!dense.contains(linear.biasName())) {
            return true;
        }
        return !dense.tensor(linear.biasName()).to(ScalarType.Float).equal(bias);
    }

    /** A layer as the receipt names it. */
    LayerEntry entry(LayerOutcome outcome) {
        Linear linear = outcome.linear();
        return new LayerEntry(
                linear.name(),
                linear.block(),
                linear.kind(),
                linear.rows(),
                linear.columns(),
                linear.transposed(),
                outcome.wanted(),
                outcome.removed(),
                zeros.getOrDefault(linear.name(), 0L),
                outcome.sparsity(),
                outcome.error(),
                outcome.errorKind().name().toLowerCase(Locale.ROOT).replace('_', '-'),
                biasChanged.getOrDefault(linear.name(), false));
    }
}
