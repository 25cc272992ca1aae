package org.espalier.core.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.espalier.core.UserError;
import org.espalier.core.pattern.Group;
import org.espalier.core.pattern.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

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

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '^',
            value = {
                "select: {sparsity: 0,5}            | select.5 has no value",
                "select: {sparsity: '0,5'}          | select.sparsity: must be a number from 0.0 to"
                        + " 0.9999999999999999 but is the text '0,5'; with a decimal point that is 0.5",
                "select: {sparsity: 50%}            | '50%'; for 50% write 0.5",
                "select: {sparsity: '0.5'}          | leave the quotes out",
                "select: {sparsity: 0x1}            | select.sparsity: must be a number",
                "select: {sparsity: .nan}           | select.sparsity: must be a number",
                "select: {sparsity: [0.5]}          | select.sparsity: must be a number",
                "select: {sparsity: yes}            | select.sparsity: must be a number",
                "select: {sparsity: ~}              | select.sparsity: has no value",
                "select: {sparsity: 1e-999}         | select.sparsity: must be a number",
                "select: {sparsity: -0.1}           | select.sparsity: must be a number",
                "select: {}                         | select: is empty",
                "select: null                       | select: has no value",
                "select: [row]                      | select: must be a map",
                "select: {group: row, width: 8}     | select.width: goes with group: column-block",
                "select: {pattern: 2:4, group: layer} | select.group: the pattern 2:4 compares",
                "select: {pattern: 2}               | select.pattern: must be text but is 2; put it"
                        + " in quotes",
                "select: {pattern: 1_0:12}          | is no pattern",
                "calibration: {samples: 8.0}        | calibration.samples: must be a whole number",
                "calibration: {samples: 1e2}        | calibration.samples: must be a whole number",
                "calibration: {samples: 010}        | calibration.samples: must be a whole number",
                "calibration: {samples: 1_000}      | calibration.samples: must be a whole number",
                "calibration: {samples: 1:30}       | calibration.samples: must be a whole number",
                "calibration: {samples: 9999999999} | calibration.samples: must be a whole number",
                "calibration: {samples: true}       | calibration.samples: must be a whole number",
                "allocate: {method: owl, lambda: }  | allocate.lambda has no value",
                "allocate: {method: owl, lambda: ~} | allocate.lambda: has no value",
                "allocate: {method: ~}              | allocate.method: must name the method",
                "inputs: Dense                      | inputs: must be one of dense, propagated but"
                        + " is 'Dense'",
                "summary: 3.10                      | summary: must be text but is 3.1; put it in"
                        + " quotes",
                "paper: {}                          | paper: is empty",
                "card: ~                            | card: has no value",
                "solver: true                       | solver: must be a name or a map",
                "colour:                            | colour has no value",
                "colour: green                      | colour: unknown key",
                "name: other                        | name is given twice"
            })
    void noValueIsReadAsAnotherAndNoKeyIsPassedOver(String line, String fault) {
        assertThatThrownBy(() -> RecipeReader.read("mine.yaml", "name: mine\n" + line + "\n"))
                .isInstanceOf(UserError.class)
                .hasMessageStartingWith("mine.yaml")
                .hasMessageContaining(fault)
                .hasMessageNotContaining("\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"0.7", ".7", "7e-1", "7.0E-1", "+0.7"})
    void aNumberMayBeWrittenAsNumbersAre(String number) {
        assertThat(
                        RecipeReader.read(
                                        "mine.yaml", "name: a\nselect: {sparsity: " + number + "}")
                                .select()
                                .sparsity())
                .isEqualTo(0.7);
    }

    @Test
    void aRowMayStandBesideNColonM() {
        assertThat(
                        RecipeReader.read(
                                        "mine.yaml", "name: a\nselect: {pattern: 2:4, group: row}")
                                .select()
                                .pattern())
                .isEqualTo(new Pattern.NofM(2, 4));
    }
}
