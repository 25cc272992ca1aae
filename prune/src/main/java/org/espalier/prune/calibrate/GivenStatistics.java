package org.espalier.prune.calibrate;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.pytorch.Scalar;
import org.espalier.checkpoint.gguf.Imatrix;
import org.espalier.core.UserError;
import org.espalier.core.tensor.Tensors;
import org.espalier.network.Linear;
import org.jspecify.annotations.Nullable;

/**
 * Statistics that llama.cpp has measured: an importance matrix in place of a calibration pass. It knows the column norms
 * (up to the number of tokens) and nothing else, always of the dense model.
 */
public final class GivenStatistics {
    private static final Pattern EXPERT = Pattern.compile(".*\\.experts\\.(\\d+)\\..*");

    private final Imatrix imatrix;

    public GivenStatistics(Imatrix imatrix) {
        this.imatrix = imatrix;
    }

    /**
     * Checks that nothing but column norms is asked for.
     *
     * @param recipe its name, for the message
     * @throws UserError that names what an importance matrix does not know
     */
    public static void require(String recipe, Set<Statistic> needs) {
        Set<Statistic> missing = EnumSet.noneOf(Statistic.class);
        missing.addAll(needs);
        missing.remove(Statistic.SUM_OF_SQUARES);
        if (!missing.isEmpty()) {
            String what =
                    switch (missing.iterator().next()) {
                        case GRAM -> "the Gram matrix of each input";
                        case SUM -> "the mean of each input";
                        case VARIANCE_WITHIN -> "the variance of each input";
                        case SUM_OF_SQUARES -> "column norms";
                    };
            throw new UserError(
                    "recipe "
                            + recipe
                            + " needs "
                            + what
                            + ", and an importance matrix knows only column norms: give a text with"
                            + " --calibration, or take magnitude, wanda or ria");
        }
    }

    /**
     * Checks that the file knows the input of every matrix, before any of them is pruned.
     *
     * @throws UserError that names the first matrix that it does not know, and how many more there are
     */
    public void requireAll(List<Linear> layers) {
        UserError first = null;
        int refused = 0;
        for (Linear linear : layers) {
            try {
                input(linear);
            } catch (UserError e) {
                first = first == null ? e : first;
                refused++;
            }
        }
        if (first != null) {
            throw refused == 1
                    ? first
                    : new UserError(
                            first.getMessage() + " (so for " + refused + " matrices)", first);
        }
    }

    /**
     * What is known of the input of a matrix, in the caller's scope. One token counts as one sequence, so the column norm
     * is the root mean square.
     */
    public LayerStatistics of(Linear linear) {
        Imatrix.Input input = input(linear);
        return new LayerStatistics(
                input.tokens(),
                input.tokens(),
                Tensors.doubles(input.meanSquares(), linear.columns())
                        .mul(new Scalar((double) input.tokens())),
                null,
                null,
                null);
    }

    private Imatrix.Input input(Linear linear) {
        Matcher matcher = EXPERT.matcher(linear.name());
        int expert = matcher.matches() ? Integer.parseInt(matcher.group(1)) : -1;
        String end =
                expert >= 0 ? "_exps" : linear.name().contains("shared_expert") ? "_shexp" : "";
        String twin = twin(linear.kind());
        return imatrix.input(
                name(linear, linear.kind(), end),
                twin == null ? null : name(linear, twin, end),
                expert,
                linear.columns());
    }

    private static String name(Linear linear, String kind, String end) {
        String module =
                switch (kind) {
                    case "q", "k", "v", "qkv" -> "attn_" + kind;
                    case "o" -> "attn_output";
                    case "gate" -> "ffn_gate" + end;
                    case "up", "gate_up" -> "ffn_up" + end;
                    case "down" -> "ffn_down" + end;
                    default ->
                            throw new UserError(
                                    linear.name()
                                            + " has no name in importance matrices; give a text with --calibration");
                };
        return "blk." + linear.block() + "." + module + ".weight";
    }

    /** A matrix that reads the same input. */
    private static @Nullable String twin(String kind) {
        return switch (kind) {
            case "k", "v" -> "q";
            case "q" -> "k";
            case "up" -> "gate";
            case "gate" -> "up";
            default -> null;
        };
    }
}
