package org.espalier.audit.receipt;

import java.util.List;
import org.espalier.audit.language.Divergence;
import org.espalier.audit.language.Perplexity;
import org.espalier.audit.language.Protocol;
import org.jspecify.annotations.Nullable;

/**
 * What the dense and the pruned model do on the same text.
 *
 * @param protocol how it was measured
 * @param before the dense model
 * @param after the pruned model
 * @param divergence of the pruned model from the dense one
 * @param samples text that both wrote after the same prompt
 */
public record Quality(
        Protocol protocol,
        Perplexity before,
        Perplexity after,
        Divergence divergence,
        List<Sample> samples) {
    public Quality {
        samples = List.copyOf(samples);
    }

    /**
     * Text written greedily after a prompt.
     *
     * @param prompt what both models were given
     * @param before what the dense model wrote
     * @param after what the pruned model wrote
     */
    public record Sample(String prompt, String before, String after) {}

    /** Perplexity after divided by perplexity before, or null where that is no number. */
    public @Nullable Double factor() {
        double factor = after.value() / before.value();
        return Double.isFinite(factor) ? factor : null;
    }
}
