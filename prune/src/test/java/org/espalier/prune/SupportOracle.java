package org.espalier.prune;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.espalier.core.pattern.Group;
import org.espalier.core.pattern.Pattern;
import org.espalier.prune.score.Magnitude;
import org.espalier.prune.score.Ria;
import org.espalier.prune.score.Score;
import org.espalier.prune.score.Wanda;
import org.jspecify.annotations.Nullable;

/** The scores in plain float64 loops, and whether a mask keeps the largest of each comparison group. */
final class SupportOracle {
    /** Float32 scores may tie or turn round within this. */
    private static final double RELATIVE = 1e-5;

    private static final double DENORMAL = 1e-44;

    private SupportOracle() {}

    /** Checks a mask; scores that have no float64 form here pass. */
    static void requireBest(
            String about, Score score, HostileLayer.Content layer, Pattern pattern, float[] keep) {
        double[] scores = scores(score, layer);
        if (scores == null) {
            return;
        }
        int width =
                switch (pattern) {
                    case Pattern.NofM(int _, int m) -> m;
                    case Pattern.Unstructured(Group.Row _) -> layer.columns;
                    case Pattern.Unstructured _, Pattern.Tiles _ -> scores.length;
                };
        for (int group = 0; group < scores.length; group += width) {
            double largestGone = 0;
            double smallestKept = Double.POSITIVE_INFINITY;
            for (int at = group; at < group + width; at++) {
                if (keep[at] == 0) {
                    largestGone = Math.max(largestGone, scores[at]);
                } else {
                    smallestKept = Math.min(smallestKept, scores[at]);
                }
            }
            assertThat(largestGone)
                    .as("%s: removed from the group at %d", about, group)
                    .isLessThanOrEqualTo(smallestKept * (1 + RELATIVE) + DENORMAL);
        }
    }

    private static double @Nullable [] scores(Score score, HostileLayer.Content layer) {
        return switch (score) {
            case Magnitude _ -> magnitudes(layer);
            case Wanda _ -> weighed(magnitudes(layer), layer, 1);
            case Ria(double power) -> weighed(relative(layer), layer, power);
            default -> null;
        };
    }

    private static double[] magnitudes(HostileLayer.Content layer) {
        double[] magnitudes = new double[layer.weight.length];
        for (int at = 0; at < magnitudes.length; at++) {
            magnitudes[at] = Math.abs(layer.weight[at]);
        }
        return magnitudes;
    }

    private static double[] relative(HostileLayer.Content layer) {
        double[] magnitudes = magnitudes(layer);
        double[] rows = new double[layer.rows];
        double[] columns = new double[layer.columns];
        for (int at = 0; at < magnitudes.length; at++) {
            rows[at / layer.columns] += magnitudes[at];
            columns[at % layer.columns] += magnitudes[at];
        }
        for (int at = 0; at < magnitudes.length; at++) {
            double whole = magnitudes[at];
            magnitudes[at] =
                    whole == 0
                            ? 0
                            : whole / rows[at / layer.columns]
                                    + whole / columns[at % layer.columns];
        }
        return magnitudes;
    }

    private static double[] weighed(double[] scores, HostileLayer.Content layer, double power) {
        double[] squares = new double[layer.columns];
        for (int at = 0; at < layer.inputs.length; at++) {
            squares[at % layer.columns] += (double) layer.inputs[at] * layer.inputs[at];
        }
        if (Arrays.stream(squares).allMatch(square -> square == 0)) {
            return scores;
        }
        for (int at = 0; at < scores.length; at++) {
            scores[at] *= Math.pow(Math.sqrt(squares[at % layer.columns]), power);
        }
        return scores;
    }
}
