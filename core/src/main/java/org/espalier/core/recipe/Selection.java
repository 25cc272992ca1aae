package org.espalier.core.recipe;

import org.espalier.core.pattern.Pattern;

/**
 * What is to go: a pattern and the fraction of weights removed.
 *
 * @param pattern the shape in which weights are removed
 * @param sparsity fraction removed over all prunable weights, in [0, 1); for N:M always 1 - N/M
 * @param mixed for N:M: whether an allocation may give each matrix an N of its own, with N the mean
 */
public record Selection(Pattern pattern, double sparsity, boolean mixed) {
    /** One that is the same in every matrix. */
    public Selection(Pattern pattern, double sparsity) {
        this(pattern, sparsity, false);
    }

    public Selection {
        if (!(sparsity >= 0 && sparsity < 1)) {
            throw new IllegalArgumentException("sparsity must be in [0, 1) but is " + sparsity);
        }
        if (mixed && !(pattern instanceof Pattern.NofM)) {
            throw new IllegalArgumentException("only N:M can be mixed");
        }
    }
}
