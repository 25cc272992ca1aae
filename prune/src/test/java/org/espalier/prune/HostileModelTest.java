package org.espalier.prune;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.Rounding;
import org.espalier.core.UserError;
import org.espalier.core.pattern.Group;
import org.espalier.core.pattern.Pattern;
import org.espalier.core.progress.Progress;
import org.espalier.core.recipe.Recipe;
import org.espalier.core.recipe.RecipeReader;
import org.espalier.core.recipe.Selection;
import org.espalier.core.tensor.Tensors;
import org.espalier.network.Decoder;
import org.espalier.network.Linear;
import org.espalier.prune.select.ComparisonGroups;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The contract of every recipe in the recipes folder on models that break numerics: a refusal in one line, or finite
 * weights, exactly as many removed as the rounding rule says, in every comparison group, and figures that are numbers.
 */
@Timeout(60)
class HostileModelTest {
    private static final long SEED = 20261125;
    private static final Pattern TWO_OF_FOUR = new Pattern.NofM(2, 4);

    static Stream<Arguments> everyRecipeOnEveryModel() {
        return recipes()
                .flatMap(name ->
                        Stream.of(HostileModel.values()).map(model -> Arguments.of(name, model)));
    }

    static Stream<String> recipes() {
        return StreamSupport.stream(RecipeBook.shipped().names().spliterator(), false);
    }

    @ParameterizedTest
    @MethodSource("everyRecipeOnEveryModel")
    void isCorrectOrRefusedInOneLine(String name, HostileModel hostile) {
        Recipe recipe = RecipeBook.shipped().recipe(name);
        Pattern pattern = recipe.select().pattern();
        for (double sparsity : new double[] {0, 0.5, 0.99}) {
            check(recipe.withSelect(new Selection(pattern, sparsity)), hostile, 20);
        }
        check(recipe.withSelect(new Selection(pattern, 0.7)), hostile, 1);
        check(recipe.withSelect(twoOfFour(recipe)), hostile, 20);
    }

    @ParameterizedTest
    @MethodSource("recipes")
    void aWidthThatFourDoesNotDivideIsRefusedBeforeTheModelIsRead(String name) {
        Recipe recipe = RecipeBook.shipped().recipe(name);
        try (TinyCheckpoint model = HostileModel.ORDINARY.make(SEED, 10);
                Decoder decoder = model.open()) {
            assertThatThrownBy(() ->
                            PrunePlan.of(Method.of(recipe.withSelect(twoOfFour(recipe))), decoder))
                    .isInstanceOf(UserError.class)
                    .hasMessageContaining("model.layers.0.mlp.down_proj and 1 more: 2:4 needs")
                    .message()
                    .hasLineCount(1);
        }
    }

    /** With an N of its own for each matrix where the allocation has it so. */
    private static Selection twoOfFour(Recipe recipe) {
        return new Selection(TWO_OF_FOUR, 0.5, !recipe.allocate().method().equals("uniform"));
    }

    @Test
    void sparsityOneIsRefused() {
        assertThatThrownBy(() ->
                        RecipeReader.read(
                                "all", "name: all\nscore: magnitude\nselect: {sparsity: 1.0}\n"))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("sparsity")
                .message()
                .hasLineCount(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"sparsegpt", "alps", "wanda-least-squares"})
    void anUpdateBeyondTheStoredTypeIsRefusedWithTheLayer(String name) {
        Recipe recipe = RecipeBook.shipped().recipe(name);
        try (TinyCheckpoint model = HostileModel.REPEATED_CHANNELS.make(SEED, 20)) {
            float[] weight = model.values("model.layers.0.self_attn.q_proj.weight");
            for (int i = 0; i < weight.length; i++) {
                // Survivors take over what their removed twins did: twice the largest float16.
                weight[i] = 60_000 * (1 - i % 2 * 0.1f);
            }
            try (Decoder decoder = model.open()) {
                Pruner pruner =
                        new Pruner(
                                PrunePlan.of(Method.of(recipe), decoder),
                                decoder,
                                HostileModel.ORDINARY.calibration(),
                                _ -> ScalarType.Half,
                                Progress.SILENT);
                assertThatThrownBy(() -> pruner.run((_, _, _) -> {}))
                        .isInstanceOf(UserError.class)
                        .hasMessageContaining("model.layers.0.self_attn.q_proj.weight")
                        .hasMessageContaining("beyond Half")
                        .message()
                        .hasLineCount(1);
            }
        }
    }

    private static void check(Recipe recipe, HostileModel hostile, int inner) {
        Selection select = recipe.select();
        String about =
                "%s, %s at %s, on %s with an MLP of %d, seed %d"
                        .formatted(
                                recipe.name(),
                                select.pattern(),
                                select.sparsity(),
                                hostile,
                                inner,
                                SEED);
        Map<String, float[]> weights = new LinkedHashMap<>();
        LayerSink sink =
                (Linear linear, Tensor weight, @Nullable Tensor bias) -> {
                    weights.put(linear.name(), Tensors.toFloats(weight));
                    if (bias != null) {
                        requireFinite(about + ", bias of " + linear.name(), Tensors.toFloats(bias));
                    }
                };
        try (TinyCheckpoint model = hostile.make(SEED, inner);
                Decoder decoder = model.open()) {
            PrunePlan plan = PrunePlan.of(Method.of(recipe), decoder);
            PruneOutcome outcome =
                    new Pruner(
                                    plan,
                                    decoder,
                                    hostile.calibration(),
                                    _ -> ScalarType.Float,
                                    Progress.SILENT)
                            .run(sink);
            assertThat(hostile).as(about + ": was pruned").isNotIn(HostileModel.notFinite());
            requireExact(about, select, plan, outcome);
            for (LayerOutcome layer : outcome.layers()) {
                String where = about + ", " + layer.linear().name();
                float[] pruned = Objects.requireNonNull(weights.get(layer.linear().name()));
                requireFinite(where, pruned);
                requireZeros(where, select.pattern(), layer, pruned);
                assertThat(layer.error()).as(where).isNotNaN().isGreaterThanOrEqualTo(0).isFinite();
                if (select.sparsity() == 0) {
                    assertThat(bits(pruned))
                            .as(where)
                            .isEqualTo(bits(model.values(layer.linear().weightName())));
                }
            }
        } catch (UserError refusal) {
            assertThat(refusal.getMessage()).as(about).isNotBlank().doesNotContain("\n");
            assertThat(hostile)
                    .as(about + ": " + refusal.getMessage())
                    .isNotIn(HostileModel.plain());
        }
    }

    /** Every layer as its own wish says, and all together as the uniform allocation would. */
    private static void requireExact(
            String about, Selection select, PrunePlan plan, PruneOutcome outcome) {
        long budget = 0;
        for (LayerOutcome layer : outcome.layers()) {
            Linear linear = layer.linear();
            ComparisonGroups groups =
                    ComparisonGroups.of(select.pattern(), linear.rows(), linear.columns());
            assertThat(layer.removed())
                    .as(about + ", " + linear.name())
                    .isEqualTo(groups.removed(layer.wanted()));
            budget += groups.removed(select.sparsity());
        }
        assertThat(outcome.removed()).as(about).isEqualTo(budget);
        assertThat(plan.layers()).as(about).hasSameSizeAs(outcome.layers());
    }

    private static void requireZeros(
            String about, Pattern pattern, LayerOutcome layer, float[] pruned) {
        int rows = (int) layer.linear().rows();
        int columns = (int) layer.linear().columns();
        int width =
                switch (pattern) {
                    case Pattern.NofM(int _, int m) -> m;
                    case Pattern.Unstructured(Group.Row _) -> columns;
                    case Pattern.Unstructured _, Pattern.Tiles _ -> rows * columns;
                };
        for (int group = 0; group < pruned.length; group += width) {
            long zeros = 0;
            for (int at = group; at < group + width; at++) {
                zeros += pruned[at] == 0 ? 1 : 0;
            }
            assertThat(zeros)
                    .as("%s, group at %d", about, group)
                    .isGreaterThanOrEqualTo(Rounding.removed(width, layer.wanted()));
        }
    }

    private static void requireFinite(String about, float[] values) {
        for (float value : values) {
            assertThat(Float.isFinite(value)).as("%s: %s", about, value).isTrue();
        }
    }

    private static int[] bits(float[] values) {
        int[] bits = new int[values.length];
        for (int i = 0; i < values.length; i++) {
            bits[i] = Float.floatToRawIntBits(values[i]);
        }
        return bits;
    }
}
