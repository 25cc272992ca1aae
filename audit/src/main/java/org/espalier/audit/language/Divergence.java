package org.espalier.audit.language;

/**
 * How far a model's predictions are from those of a reference: KL(reference || model) per predicted token, in nats.
 *
 * @param mean mean over the predictions
 * @param standardError of the mean
 * @param percentile95 19 of 20 predictions diverge by no more
 * @param percentile99 99 of 100 predictions diverge by no more
 * @param maximum the worst prediction
 * @param sameTop share of predictions whose most likely token is the same, in [0, 1]
 * @param sameTopStandardError of that share
 * @param predictions number of predictions compared
 */
public record Divergence(
        double mean,
        double standardError,
        double percentile95,
        double percentile99,
        double maximum,
        double sameTop,
        double sameTopStandardError,
        long predictions) {

    /** From the single divergences and, for each, 1 if the most likely token is the same and 0 if not. */
    static Divergence of(double[] divergences, double[] sameTop) {
        return new Divergence(
                Moments.mean(divergences),
                Moments.standardError(divergences),
                Moments.percentile(divergences, 0.95),
                Moments.percentile(divergences, 0.99),
                Moments.percentile(divergences, 1),
                Moments.mean(sameTop),
                Moments.standardError(sameTop),
                divergences.length);
    }
}
