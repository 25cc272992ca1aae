package org.espalier.cli;

import org.espalier.core.UserError;
import org.espalier.core.pattern.Group;
import org.espalier.core.pattern.Pattern;
import org.espalier.core.pattern.PatternSyntax;
import org.espalier.core.recipe.Recipe;
import org.espalier.core.recipe.Selection;
import org.jspecify.annotations.Nullable;

/** What the options of the command line change in a recipe. */
final class Overrides {
    private static final double EQUAL = 1e-9;

    private Overrides() {}

    /**
     * The recipe with what was given in place of what it says.
     *
     * @throws UserError if an option is no value of its kind, or contradicts the pattern
     */
    static Recipe apply(
            Recipe recipe,
            @Nullable Double sparsity,
            @Nullable String pattern,
            @Nullable String group,
            @Nullable String inputs) {
        Recipe selected = recipe.withSelect(selection(recipe.select(), sparsity, pattern, group));
        return inputs == null ? selected : selected.withInputs(inputs(inputs));
    }

    /**
     * The recipe with an N of its own for each matrix.
     *
     * @throws UserError if its pattern is not N:M
     */
    static Recipe mixed(Recipe recipe) {
        Selection select = recipe.select();
        if (!(select.pattern() instanceof Pattern.NofM)) {
            throw new UserError(
                    "--mixed gives each matrix an N of its own, so it needs an N:M pattern such as --pattern 4:8");
        }
        return recipe.withSelect(new Selection(select.pattern(), select.sparsity(), true));
    }

    private static Selection selection(
            Selection old,
            @Nullable Double sparsity,
            @Nullable String pattern,
            @Nullable String group) {
        if (sparsity != null && !(sparsity >= 0 && sparsity < 1)) {
            String hint =
                    sparsity > 1 && sparsity <= 100
                            ? "; for "
                                    + Words.format("%.4g", sparsity)
                                    + " % write "
                                    + sparsity / 100
                            : "";
            throw new UserError(
                    "--sparsity is the fraction of weights removed, at least 0 and below 1, but is "
                            + sparsity
                            + hint);
        }
        Pattern shape = old.pattern();
        if (pattern != null) {
            shape = PatternSyntax.pattern(pattern, group(shape));
        }
        if (group != null) {
            shape = grouped(shape, group);
        }
        if (shape instanceof Pattern.NofM nOfM) {
            if (sparsity != null && Math.abs(sparsity - nOfM.sparsity()) > EQUAL) {
                throw new UserError(
                        "the pattern "
                                + nOfM
                                + " removes "
                                + nOfM.sparsity()
                                + " of the weights, so --sparsity "
                                + sparsity
                                + " contradicts it; leave one of them out");
            }
            return new Selection(shape, nOfM.sparsity(), old.mixed());
        }
        return new Selection(shape, sparsity == null ? old.sparsity() : sparsity);
    }

    /** The pattern with the weights compared that {@code --group} says; column blocks need a width, so a recipe. */
    private static Pattern grouped(Pattern pattern, String text) {
        Group group =
                switch (text) {
                    case "row" -> new Group.Row();
                    case "layer" -> new Group.Layer();
                    case "global" -> new Group.Global();
                    default ->
                            throw new UserError(
                                    "--group must be row, layer or global but is " + text);
                };
        return switch (pattern) {
            case Pattern.Unstructured _ -> new Pattern.Unstructured(group);
            case Pattern.Tiles tiles -> new Pattern.Tiles(tiles.rows(), tiles.columns(), group);
            case Pattern.NofM nOfM ->
                    throw new UserError(
                            "the pattern "
                                    + nOfM
                                    + " compares "
                                    + PatternSyntax.group(nOfM)
                                    + ", so --group "
                                    + text
                                    + " contradicts it; leave one of them out");
        };
    }

    private static Recipe.Inputs inputs(String text) {
        return switch (text) {
            case "propagated" -> Recipe.Inputs.PROPAGATED;
            case "dense" -> Recipe.Inputs.DENSE;
            default -> throw new UserError("--inputs must be propagated or dense but is " + text);
        };
    }

    /** A selection in a file name: {@code 0.5}, {@code 2of4}, {@code 4x4-0.7}. */
    static String label(Selection selection) {
        return switch (selection.pattern()) {
            case Pattern.NofM nOfM ->
                    (selection.mixed() ? "mixed-" : "") + nOfM.n() + "of" + nOfM.m();
            case Pattern.Tiles tiles -> PatternSyntax.describe(tiles) + "-" + selection.sparsity();
            case Pattern.Unstructured _ -> Double.toString(selection.sparsity());
        };
    }

    private static Group group(Pattern pattern) {
        return switch (pattern) {
            case Pattern.Unstructured unstructured -> unstructured.group();
            case Pattern.Tiles tiles -> tiles.group();
            case Pattern.NofM _ -> new Group.Row();
        };
    }
}
