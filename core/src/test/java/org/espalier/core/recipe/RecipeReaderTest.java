package org.espalier.core.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.espalier.core.UserError;
import org.espalier.core.pattern.Group;
import org.espalier.core.pattern.Pattern;
import org.junit.jupiter.api.Test;

class RecipeReaderTest {
    @Test
    void readsEveryKey() {
        Recipe recipe =
                RecipeReader.read(
                        "mine.yaml",
                        """
                        name: mine
                        summary: A mixture.
                        paper: {title: "On Pruning", arxiv: "2306.11695"}
                        card: wanda
                        variant: paper
                        calibration: {samples: 16, sequence_length: 512}
                        score: wanda
                        allocate: {method: owl, lambda: 0.08, outlier: 5}
                        select: {pattern: unstructured, group: column-block, width: 64, sparsity: 0.7}
                        solver: {method: sparsegpt, block: 64}
                        repair: {method: dsnot, cycles: 50}
                        inputs: dense
                        """);
        assertThat(recipe.name()).isEqualTo("mine");
        assertThat(recipe.paper()).isEqualTo(new Recipe.Paper("On Pruning", "2306.11695"));
        assertThat(recipe.variant()).isEqualTo(Recipe.Variant.PAPER);
        assertThat(recipe.calibration()).isEqualTo(new Recipe.CalibrationDefaults(16, 512));
        assertThat(recipe.score()).isEqualTo(Part.of("wanda", "score"));
        assertThat(recipe.allocate().parameters()).isEqualTo(Map.of("lambda", 0.08, "outlier", 5));
        assertThat(recipe.select())
                .isEqualTo(new Selection(new Pattern.Unstructured(new Group.ColumnBlock(64)), 0.7));
        assertThat(recipe.inputs()).isEqualTo(Recipe.Inputs.DENSE);
    }

    @Test
    void whatIsLeftOutHasTheDefaultsOfThePapers() {
        Recipe recipe = RecipeReader.read("mine.yaml", "name: mine\nscore: magnitude\n");
        assertThat(recipe.allocate().method()).isEqualTo("uniform");
        assertThat(recipe.solver().method()).isEqualTo("mask");
        assertThat(recipe.repair().method()).isEqualTo("none");
        assertThat(recipe.inputs()).isEqualTo(Recipe.Inputs.PROPAGATED);
        assertThat(recipe.select())
                .isEqualTo(new Selection(new Pattern.Unstructured(new Group.Row()), 0.5));
        assertThat(recipe.calibration()).isEqualTo(new Recipe.CalibrationDefaults(128, 2048));
    }

    @Test
    void aPatternOfNColonMNeedsNoQuotesAndBringsItsSparsity() {
        Recipe recipe =
                RecipeReader.read(
                        "mine.yaml", "name: mine\nscore: wanda\nselect: {pattern: 4:8}\n");
        assertThat(recipe.select()).isEqualTo(new Selection(new Pattern.NofM(4, 8), 0.5));
        assertThatThrownBy(() ->
                        RecipeReader.read(
                                "mine.yaml",
                                "name: mine\nselect: {pattern: \"1:4\", sparsity: 0.5}\n"))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("select.sparsity: is 0.5 but the pattern 1:4 removes 0.75");
    }

    @Test
    void allFaultsAreReportedTogetherEachWithItsPath() {
        assertThatThrownBy(() ->
                        RecipeReader.read(
                                "mine.yaml",
                                """
                                name: No Good
                                scroe: wanda
                                variant: official
                                calibration: {samples: none, tokens: 3}
                                allocate: {lambda: 0.1}
                                select: {pattern: 5:4, sparsity: 1.5, gruop: row}
                                solver: 7
                                """))
                .isInstanceOf(UserError.class)
                .hasMessageStartingWith("mine.yaml: ")
                .hasMessageContaining("name: must be given, in lower-case")
                .hasMessageContaining("scroe: unknown key")
                .hasMessageContaining("variant: must be one of paper, released")
                .hasMessageContaining("calibration.samples: must be a whole number")
                .hasMessageContaining("calibration.tokens: unknown parameter")
                .hasMessageContaining("allocate.method: must name the method")
                .hasMessageContaining("select: '5:4' keeps 5 of every 4")
                .hasMessageContaining("select.sparsity: must be a number from 0.0")
                .hasMessageContaining("select.gruop: unknown key")
                .hasMessageContaining("solver: must be a name or a map");
    }

    @Test
    void textThatIsNoRecipeIsOneLine() {
        for (String text :
                new String[] {"", "just words", "[1, 2", "name: a\nname: b\n", "a: &x [*x]\n"}) {
            assertThatThrownBy(() -> RecipeReader.read("mine.yaml", text))
                    .as(text)
                    .isInstanceOf(UserError.class)
                    .hasMessageStartingWith("mine.yaml: ")
                    .hasMessageNotContaining("\n");
        }
    }
}
