package org.espalier.prune.resume;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.espalier.network.Linear;
import org.espalier.prune.BlockOutcome;
import org.espalier.prune.LayerOutcome;
import org.espalier.prune.LayerOutcome.ErrorKind;
import org.espalier.prune.calibrate.SavedStates;
import org.jspecify.annotations.Nullable;

/**
 * A finished block as the journal holds it.
 *
 * @param block what became of it
 * @param layers what became of its layers, in forward order
 * @param tensors the tensors that were stored, with the CRC-32C of their bytes
 * @param states what is kept of the hidden states behind the block, or null
 * @param runSeconds time that the run had taken until then, interrupted ones before it included
 */
record FinishedBlock(
        BlockOutcome block,
        List<Layer> layers,
        Map<String, String> tensors,
        @Nullable SavedStates states,
        double runSeconds) {
    FinishedBlock {
        layers = List.copyOf(layers);
        tensors = new TreeMap<>(tensors);
    }

    /** A {@link LayerOutcome} with the layer's name in place of the layer. */
    record Layer(
            String name,
            double wanted,
            long removed,
            long zerosBefore,
            long zeros,
            boolean biasChanged,
            double error,
            ErrorKind errorKind,
            long inputTokens,
            double seconds) {
        static Layer of(LayerOutcome outcome) {
            return new Layer(
                    outcome.linear().name(),
                    outcome.wanted(),
                    outcome.removed(),
                    outcome.zerosBefore(),
                    outcome.zeros(),
                    outcome.biasChanged(),
                    outcome.error(),
                    outcome.errorKind(),
                    outcome.inputTokens(),
                    outcome.seconds());
        }

        LayerOutcome outcome(Linear linear) {
            return new LayerOutcome(
                    linear,
                    wanted,
                    removed,
                    zerosBefore,
                    zeros,
                    biasChanged,
                    error,
                    errorKind,
                    inputTokens,
                    seconds);
        }
    }
}
