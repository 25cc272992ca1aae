package org.espalier.prune.calibrate;

/** A quantity per linear input that a score, allocation, solver or repair can ask for. */
public enum Statistic {
    /** Per input feature the sum of squares over all tokens; Wanda's and RIA's activation norm. */
    SUM_OF_SQUARES,
    /** Per input feature the sum over all tokens; the mean that bias repair and DSnoT need. */
    SUM,
    /** Per input feature the token-weighted mean over sequences of the variance within a sequence (DSnoT). */
    VARIANCE_WITHIN,
    /** The uncentred Gram matrix X^T X, summed over all tokens (SparseGPT, ALPS, least squares). */
    GRAM
}
