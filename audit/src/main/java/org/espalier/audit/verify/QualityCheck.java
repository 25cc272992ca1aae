package org.espalier.audit.verify;

import java.util.ArrayList;
import java.util.List;
import org.espalier.audit.language.Divergence;
import org.espalier.audit.language.Evaluation;
import org.espalier.audit.language.Perplexity;
import org.espalier.audit.receipt.Quality;

/** Compares what a text shows of the models now with what the receipt says. Pure. */
public final class QualityCheck {
    /** Figures of the same weights on the same text differ by rounding only, whatever the threads. */
    private static final double TOLERANCE = 1e-3;

    /** Divergences of models that hardly differ are rounding themselves, in nats of float32 logits. */
    private static final double DIVERGENCE_FLOOR = 1e-5;

    /** A tie between the two most likely tokens is broken by rounding. */
    private static final double TIES = 2e-3;

    private final List<String> differences = new ArrayList<>();

    private QualityCheck() {}

    /**
     * Every figure that is not as the receipt says, each in one line.
     *
     * @param claimed what the receipt says
     * @param again the pruned model now; its reference is the dense one where that was at hand
     */
    public static List<String> differences(Quality claimed, Evaluation again) {
        QualityCheck check = new QualityCheck();
        check.perplexity("after", claimed.after(), again.perplexity());
        if (again.reference() != null) {
            check.perplexity("before", claimed.before(), again.reference());
        }
        if (again.divergence() != null) {
            check.divergence(claimed.divergence(), again.divergence());
        }
        return check.differences;
    }

    private void perplexity(String when, Perplexity claimed, Perplexity again) {
        figure("perplexity " + when, claimed.value(), again.value(), TOLERANCE, 0);
        figure(
                "standard error of the perplexity " + when,
                claimed.standardError(),
                again.standardError(),
                10 * TOLERANCE,
                0);
        figure("log loss " + when, claimed.logLoss(), again.logLoss(), TOLERANCE, TOLERANCE);
        exact("predictions", claimed.predictions(), again.predictions());
        exact("windows", claimed.windows(), again.windows());
    }

    private void divergence(Divergence claimed, Divergence again) {
        exact("predictions compared", claimed.predictions(), again.predictions());
        floored("mean divergence", claimed.mean(), again.mean(), 1);
        floored(
                "standard error of the divergence",
                claimed.standardError(),
                again.standardError(),
                10);
        floored(
                "95th percentile of the divergence",
                claimed.percentile95(),
                again.percentile95(),
                10);
        floored(
                "99th percentile of the divergence",
                claimed.percentile99(),
                again.percentile99(),
                10);
        floored("largest divergence", claimed.maximum(), again.maximum(), 10);
        figure("share of equal top tokens", claimed.sameTop(), again.sameTop(), 0, TIES);
        figure(
                "standard error of that share",
                claimed.sameTopStandardError(),
                again.sameTopStandardError(),
                0,
                TIES);
    }

    private void floored(String name, double claimed, double again, double looseness) {
        figure(name, claimed, again, looseness * TOLERANCE, looseness * DIVERGENCE_FLOOR);
    }

    private void exact(String name, long claimed, long again) {
        if (claimed != again) {
            differences.add(difference(name, again, claimed));
        }
    }

    /** Equal, infinite alike, or within the relative and absolute tolerance together. */
    private void figure(
            String name, double claimed, double again, double relative, double absolute) {
        boolean same =
                Double.compare(claimed, again) == 0
                        || Math.abs(again - claimed) <= relative * Math.abs(claimed) + absolute;
        if (!same) {
            differences.add(difference(name, again, claimed));
        }
    }

    private static String difference(String name, Number again, Number claimed) {
        return "the " + name + " is " + again + " but the receipt says " + claimed;
    }
}
