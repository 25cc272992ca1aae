package org.espalier.prune;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.UserError;
import org.espalier.core.pattern.Pattern;
import org.espalier.core.progress.Progress;
import org.espalier.core.recipe.Protection;
import org.espalier.core.recipe.Recipe;
import org.espalier.core.recipe.Selection;
import org.espalier.core.tensor.Tensors;
import org.espalier.network.Decoder;
import org.espalier.prune.calibrate.Calibration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What {@code protect} leaves dense, and what it does to the rest. */
class ProtectTest {
    private static final long SEED = 20261129;

    /** All of the second block, and a kind of matrix everywhere. */
    private static final Protection SOME = new Protection(List.of("blocks.1", "*.down_proj"));

    static Stream<String> recipes() {
        return StreamSupport.stream(RecipeBook.shipped().names().spliterator(), false)
                .filter(name -> !name.equals("wanda-bias"));
    }

    @ParameterizedTest
    @MethodSource("recipes")
    void theRestKeepsTheBudgetByItself(String name) {
        Recipe recipe = RecipeBook.shipped().recipe(name).withProtect(SOME);
        Map<String, float[]> weights = new TreeMap<>();
        PruneOutcome outcome = run(recipe, weights);
        assertThat(weights.keySet())
                .hasSize(2 * 6)
                .noneMatch(layer -> layer.contains("layers.1.") || layer.contains("down_proj"));
        assertThat(outcome.layers()).extracting(layer -> layer.linear().name()).hasSize(12);
        assertThat(outcome.blocks()).hasSize(3);
        assertThat(outcome.sparsity())
                .as("seed %d", SEED)
                .isBetween(recipe.select().sparsity() - 0.1, recipe.select().sparsity());
    }

    /** Dense inputs do not hang on what was pruned before, so nothing may change in the matrices that are pruned. */
    @ParameterizedTest
    @ValueSource(strings = {"wanda", "sparsegpt", "ria"})
    void statesPassThroughABlockThatIsLeftDense(String name) {
        Recipe recipe = RecipeBook.shipped().recipe(name).withInputs(Recipe.Inputs.DENSE);
        Map<String, float[]> all = new TreeMap<>();
        Map<String, float[]> some = new TreeMap<>();
        run(recipe, all);
        run(recipe.withProtect(SOME), some);
        some.forEach((layer, weight) -> assertThat(weight).as(layer).isEqualTo(all.get(layer)));
    }

    @Test
    void propagatedStatesPassThroughItToo() {
        Recipe recipe = RecipeBook.shipped().recipe("wanda");
        Map<String, float[]> all = new TreeMap<>();
        Map<String, float[]> some = new TreeMap<>();
        run(recipe, all);
        run(recipe.withProtect(new Protection(List.of("blocks.2"))), some);
        assertThat(some.keySet()).noneMatch(layer -> layer.contains("layers.2."));
        some.forEach((layer, weight) -> assertThat(weight).as(layer).isEqualTo(all.get(layer)));
    }

    @Test
    void aWidthThatDoesNotFitCanBeLeftOut() {
        Recipe recipe =
                RecipeBook.shipped()
                        .recipe("magnitude")
                        .withSelect(new Selection(new Pattern.NofM(1, 3), 2 / 3.0));
        assertThatThrownBy(() -> run(recipe, new TreeMap<>()))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("or leave such matrices dense with --protect");
        PruneOutcome outcome =
                run(recipe.withProtect(new Protection(List.of("*.down"))), new TreeMap<>());
        assertThat(outcome.removed() * 3).isEqualTo(outcome.prunable() * 2);
        assertThat(outcome.layers()).hasSize(3 * 6);
    }

    @Test
    void patternsThatFitNothingOrEverythingAreRefused() {
        Recipe recipe = RecipeBook.shipped().recipe("magnitude");
        assertRefused(recipe, "'*.dwon' fits no matrix of this model", "*.down", "*.dwon");
        assertRefused(recipe, "'blocks.3-9' fits no matrix", "blocks.3-9");
        assertRefused(recipe, "every matrix is left dense", "*");
        assertRefused(
                RecipeBook.shipped().recipe("wanda-bias"),
                "would lack the bias that 'mean-to-bias'",
                "blocks.0.q");
    }

    private static void assertRefused(Recipe recipe, String reason, String... patterns) {
        assertThatThrownBy(() ->
                        run(recipe.withProtect(new Protection(List.of(patterns))), new TreeMap<>()))
                .isInstanceOf(UserError.class)
                .hasMessageContaining(reason)
                .message()
                .hasLineCount(1);
    }

    private static PruneOutcome run(Recipe recipe, Map<String, float[]> weights) {
        Random random = new Random(SEED);
        List<long[]> ids = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            ids.add(random.longs(16, 0, 11).toArray());
        }
        try (TinyLlama model = new TinyLlama(SEED);
                Decoder decoder = model.open()) {
            return new Pruner(
                            PrunePlan.of(Method.of(recipe), decoder),
                            decoder,
                            new Calibration(ids),
                            _ -> ScalarType.Float,
                            Progress.SILENT)
                    .run((linear, weight, bias) ->
                            weights.put(linear.name(), Tensors.toFloats(weight)));
        }
    }
}
