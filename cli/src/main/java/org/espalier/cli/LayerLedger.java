package org.espalier.cli;

import java.util.Locale;
import org.espalier.audit.receipt.LayerEntry;
import org.espalier.network.Linear;
import org.espalier.prune.LayerOutcome;

/** Enters finished layers into the receipt. */
final class LayerLedger {
    private LayerLedger() {}

    /** A layer as the receipt names it. */
    static LayerEntry entry(LayerOutcome outcome) {
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
                outcome.zeros(),
                outcome.sparsity(),
                outcome.error(),
                outcome.errorKind().name().toLowerCase(Locale.ROOT).replace('_', '-'),
                outcome.biasChanged());
    }
}
