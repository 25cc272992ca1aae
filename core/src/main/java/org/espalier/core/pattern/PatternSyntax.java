package org.espalier.core.pattern;

import java.util.regex.Matcher;
import org.espalier.core.UserError;

/** How patterns and comparison groups are written in recipes and on the command line. */
public final class PatternSyntax {
    private static final java.util.regex.Pattern N_OF_M =
            java.util.regex.Pattern.compile("(\\d{1,4}):(\\d{1,4})");
    private static final java.util.regex.Pattern TILES =
            java.util.regex.Pattern.compile("(\\d{1,6})x(\\d{1,6})");

    private PatternSyntax() {}

    /**
     * Reads a pattern.
     *
     * @param text {@code unstructured}, N:M such as {@code 2:4} (keep N of M), or a tile such as {@code 4x4}
     * @param group the comparison group where the pattern leaves it open
     * @throws UserError if the text is none of these
     */
    public static Pattern pattern(String text, Group group) {
        if (text.equals("unstructured")) {
            return new Pattern.Unstructured(group);
        }
        Matcher matcher = N_OF_M.matcher(text);
        if (matcher.matches()) {
            int n = Integer.parseInt(matcher.group(1));
            int m = Integer.parseInt(matcher.group(2));
            if (m < 2 || n < 1 || n > m) {
                throw new UserError(
                        "'"
                                + text
                                + "' keeps "
                                + n
                                + " of every "
                                + m
                                + " weights: N:M needs M of at least 2 and N from 1 to M");
            }
            return new Pattern.NofM(n, m);
        }
        matcher = TILES.matcher(text);
        if (matcher.matches()
                && Integer.parseInt(matcher.group(1)) > 0
                && Integer.parseInt(matcher.group(2)) > 0) {
            return new Pattern.Tiles(
                    Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)), group);
        }
        throw new UserError(
                "'"
                        + text
                        + "' is no pattern: write unstructured, N:M such as 2:4, or a tile such as 4x4");
    }

    /**
     * Reads a comparison group.
     *
     * @param text {@code row}, {@code layer}, {@code global} or {@code column-block}
     * @param width columns of a column block, at least 1
     * @throws UserError if the text is none of these
     */
    public static Group group(String text, int width) {
        return switch (text) {
            case "row" -> new Group.Row();
            case "layer" -> new Group.Layer();
            case "global" -> new Group.Global();
            case "column-block" -> new Group.ColumnBlock(width);
            default ->
                    throw new UserError(
                            "'"
                                    + text
                                    + "' is no comparison group: write row, layer, global or column-block");
        };
    }

    /** The pattern as it is written in recipes; its comparison group is written apart, by {@link #group(Pattern)}. */
    public static String describe(Pattern pattern) {
        return switch (pattern) {
            case Pattern.Unstructured _ -> "unstructured";
            case Pattern.NofM nOfM -> nOfM.n() + ":" + nOfM.m();
            case Pattern.Tiles tiles -> tiles.rows() + "x" + tiles.columns();
        };
    }

    /** The comparison group of a pattern as it is written in recipes; N:M is its own group. */
    public static String group(Pattern pattern) {
        return switch (pattern) {
            case Pattern.Unstructured unstructured -> describe(unstructured.group());
            case Pattern.NofM nOfM -> nOfM.m() + " columns of a row";
            case Pattern.Tiles tiles -> describe(tiles.group());
        };
    }

    private static String describe(Group group) {
        return switch (group) {
            case Group.Row _ -> "row";
            case Group.Layer _ -> "layer";
            case Group.Global _ -> "global";
            case Group.ColumnBlock _ -> "column-block";
        };
    }
}
