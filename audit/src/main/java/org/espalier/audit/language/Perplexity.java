package org.espalier.audit.language;

/**
 * Perplexity of a model on a text: exp of the mean negative log-likelihood, every counted prediction weighing the same.
 *
 * @param value exp(mean)
 * @param standardError {@code value * sqrt(variance / (predictions - 1))} with the variance of the single predictions,
 *     as llama.cpp gives it; predictions of neighbouring tokens are not independent, so it is a lower bound
 * @param logLoss mean negative log-likelihood in nats per token
 * @param predictions number of predictions that counted
 * @param windows number of windows read
 */
public record Perplexity(
        double value, double standardError, double logLoss, long predictions, int windows) {

    /** From the losses of the single predictions, in nats. */
    static Perplexity of(double[] losses, int windows) {
        double mean = Moments.mean(losses);
        double value = Math.exp(mean);
        return new Perplexity(
                value, value * Moments.standardError(losses), mean, losses.length, windows);
    }
}
