package org.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.espalier.core.UserError;
import org.espalier.core.pattern.Group;
import org.espalier.core.pattern.Pattern;
import org.espalier.core.recipe.Recipe;
import org.espalier.core.recipe.RecipeReader;
import org.junit.jupiter.api.Test;

/** What the command line changes in a recipe, and what it leaves alone. */
class OverridesTest {
    private static final Recipe WANDA =
            RecipeReader.read(
                    "test", "{name: test, score: wanda, select: {group: row, sparsity: 0.3}}");
    private static final Recipe TWO_OF_FOUR =
            RecipeReader.read("test", "{name: test, score: wanda, select: {pattern: '2:4'}}");

    @Test
    void withoutOptionsTheRecipeStays() {
        assertThat(Overrides.apply(WANDA, null, null, null, null)).isEqualTo(WANDA);
        assertThat(Overrides.apply(TWO_OF_FOUR, null, null, null, null)).isEqualTo(TWO_OF_FOUR);
    }

    @Test
    void eachOptionChangesItsPartOnly() {
        Recipe dense = Overrides.apply(WANDA, null, null, null, "dense");
        assertThat(dense).isEqualTo(WANDA.withInputs(Recipe.Inputs.DENSE)).isNotEqualTo(WANDA);
        assertThat(Overrides.apply(dense, null, null, null, "propagated")).isEqualTo(WANDA);
        Recipe layer = Overrides.apply(WANDA, null, null, "layer", null);
        assertThat(layer.select().pattern()).isEqualTo(new Pattern.Unstructured(new Group.Layer()));
        assertThat(layer.select().sparsity()).isEqualTo(0.3);
        assertThat(layer.withSelect(WANDA.select())).isEqualTo(WANDA);
    }

    @Test
    void groupGoesWithThePatternOfTheCommandLine() {
        Recipe tiles = Overrides.apply(TWO_OF_FOUR, 0.5, "4x8", "global", null);
        assertThat(tiles.select().pattern()).isEqualTo(new Pattern.Tiles(4, 8, new Group.Global()));
        assertThat(Overrides.apply(WANDA, null, "1:4", null, null).select().sparsity())
                .isEqualTo(0.75);
        for (Recipe recipe : new Recipe[] {TWO_OF_FOUR, WANDA}) {
            assertThatThrownBy(() -> Overrides.apply(recipe, null, "2:4", "row", null))
                    .isInstanceOf(UserError.class)
                    .hasMessageContaining("4 columns of a row, so --group row contradicts it");
        }
    }
}
