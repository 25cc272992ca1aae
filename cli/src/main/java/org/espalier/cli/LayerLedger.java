package org.espalier.cli;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import org.espalier.audit.receipt.LayerEntry;
import org.espalier.core.pattern.Pattern;
import org.espalier.core.pattern.PatternSyntax;
import org.espalier.network.Linear;
import org.espalier.prune.LayerOutcome;

/** Enters finished layers into the receipt. */
final class LayerLedger {
    /** Names in one message; the receipt has them all. */
    private static final int NAMED = 6;

    private LayerLedger() {}

    /**
     * A layer as the receipt names it.
     *
     * @param pattern of the recipe
     */
    static LayerEntry entry(LayerOutcome outcome, Pattern pattern) {
        Linear linear = outcome.linear();
        return new LayerEntry(
                linear.name(),
                linear.block(),
                linear.kind(),
                linear.rows(),
                linear.columns(),
                linear.transposed(),
                PatternSyntax.describe(
                        pattern instanceof Pattern.NofM nOfM ? nOfM.at(outcome.wanted()) : pattern),
                outcome.wanted(),
                outcome.removed(),
                outcome.zerosBefore(),
                outcome.zeros(),
                outcome.sparsity(),
                outcome.error(),
                outcome.errorKind().name().toLowerCase(Locale.ROOT).replace('_', '-'),
                outcome.inputTokens(),
                outcome.biasChanged());
    }

    /** What to say of layers that no token reached, in one line; empty if there are none. */
    static Optional<String> unreached(List<LayerOutcome> outcomes) {
        List<String> names =
                outcomes.stream()
                        .filter(outcome -> outcome.inputTokens() == 0)
                        .map(outcome -> outcome.linear().name())
                        .toList();
        if (names.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(
                "no calibration token reached "
                        + names.size()
                        + (names.size() == 1 ? " matrix" : " matrices")
                        + ", pruned by magnitude and left without repair (more --samples may reach them): "
                        + names.stream().limit(NAMED).collect(Collectors.joining(", "))
                        + (names.size() > NAMED ? ", ..." : ""));
    }
}
