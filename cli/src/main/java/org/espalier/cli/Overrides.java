package org.espalier.cli;

import org.espalier.core.UserError;
import org.espalier.core.pattern.Group;
import org.espalier.core.pattern.Pattern;
import org.espalier.core.pattern.PatternSyntax;
import org.espalier.core.recipe.Recipe;
import org.espalier.core.recipe.Selection;
import org.jspecify.annotations.Nullable;

/** What {@code --sparsity} and {@code --pattern} change in a recipe. */
final class Overrides {
    private static final double EQUAL = 1e-9;

    private Overrides() {}

    static Recipe apply(Recipe recipe, @Nullable Double sparsity, @Nullable String pattern) {
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
        Pattern shape = recipe.select().pattern();
        if (pattern != null) {
            shape = PatternSyntax.pattern(pattern, group(shape));
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
            return recipe.withSelect(new Selection(shape, nOfM.sparsity()));
        }
        double target = sparsity == null ? recipe.select().sparsity() : sparsity;
        return recipe.withSelect(new Selection(shape, target));
    }

    /** A selection in a file name: {@code 0.5}, {@code 2of4}, {@code 4x4-0.7}. */
    static String label(Selection selection) {
        return switch (selection.pattern()) {
            case Pattern.NofM nOfM -> nOfM.n() + "of" + nOfM.m();
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
