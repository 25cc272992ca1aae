package org.espalier.prune;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.UserError;
import org.espalier.core.pattern.Pattern;
import org.espalier.core.progress.Progress;
import org.espalier.core.recipe.Recipe;
import org.espalier.core.recipe.RecipeReader;
import org.espalier.core.recipe.Selection;
import org.espalier.core.tensor.Tensors;
import org.espalier.network.Block;
import org.espalier.network.Decoder;
import org.espalier.network.Linear;
import org.espalier.prune.calibrate.Calibration;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class PrunerTest {
    private static final long SEED = 20261125;

    static Iterable<String> recipes() {
        return RecipeBook.shipped().names();
    }

    @ParameterizedTest
    @MethodSource("recipes")
    void everyRecipeReachesItsSparsityAndTwoRunsAgreeToTheBit(String name) {
        Recipe recipe = RecipeBook.shipped().recipe(name);
        Run first = run(recipe, calibration(6, 16), ScalarType.Float);
        Run second = run(recipe, calibration(6, 16), ScalarType.Float);
        long groups =
                first.outcome.layers().stream()
                        .mapToLong(layer ->
                                layer.linear().rows() * Math.ceilDiv(layer.linear().columns(), 12))
                        .sum();
        double wanted = recipe.select().sparsity() * first.outcome.prunable();
        assertThat((double) first.outcome.removed()).isBetween(wanted - groups, wanted);
        assertThat(first.weights.keySet()).isEqualTo(second.weights.keySet());
        first.weights.forEach((layer, weight) ->
                assertThat(weight).as(layer).isEqualTo(second.weights.get(layer)));
        assertThat(first.outcome.layers())
                .allSatisfy(layer ->
                        assertThat(
                                        zeros(
                                                Objects.requireNonNull(
                                                        first.weights.get(layer.linear().name()))))
                                .isGreaterThanOrEqualTo(layer.removed()));
    }

    @ParameterizedTest
    @MethodSource("recipes")
    void atSparsityZeroEveryWeightStaysAsItWas(String name) {
        Recipe recipe = RecipeBook.shipped().recipe(name);
        Run run =
                run(
                        recipe.withSelect(new Selection(recipe.select().pattern(), 0)),
                        calibration(6, 16),
                        ScalarType.Float);
        try (TinyLlama model = new TinyLlama(SEED);
                PointerScope scope = new PointerScope()) {
            run.weights.forEach((layer, weight) ->
                    assertThat(weight)
                            .as(layer)
                            .isEqualTo(Tensors.toFloats(model.tensor(layer + ".weight"))));
        }
    }

    @ParameterizedTest
    @MethodSource("recipes")
    void twoOfFourLeavesAtMostTwoInEveryGroup(String name) {
        Recipe recipe = RecipeBook.shipped().recipe(name);
        Pattern.NofM pattern = new Pattern.NofM(2, 4);
        boolean uniform = recipe.allocate().method().equals("uniform");
        Run run =
                run(
                        recipe.withSelect(new Selection(pattern, 0.5, !uniform)),
                        calibration(6, 16),
                        ScalarType.Float);
        for (LayerOutcome layer : run.outcome.layers()) {
            Pattern.NofM own = pattern.at(layer.wanted());
            if (uniform) {
                assertThat(own).isEqualTo(pattern);
            }
            float[] weight = Objects.requireNonNull(run.weights.get(layer.linear().name()));
            for (int group = 0; group < weight.length; group += 4) {
                assertThat(zeros(Arrays.copyOfRange(weight, group, group + 4)))
                        .as("%s, %s", layer.linear().name(), own)
                        .isGreaterThanOrEqualTo(4 - own.n());
            }
            assertThat(layer.removed()).isEqualTo(layer.linear().size() * (4 - own.n()) / 4);
        }
        assertThat(run.outcome.sparsity()).isEqualTo(0.5);
    }

    @ParameterizedTest
    @MethodSource("recipes")
    void anNOfItsOwnForEachMatrixMustBeAskedFor(String name) {
        Recipe recipe = RecipeBook.shipped().recipe(name);
        boolean uniform = recipe.allocate().method().equals("uniform");
        Selection wrong = new Selection(new Pattern.NofM(2, 4), 0.5, uniform);
        assertThatThrownBy(() -> Method.of(recipe.withSelect(wrong)))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("select.mixed")
                .hasMessageContaining(
                        uniform ? "leave mixed out" : "no kernel for 2:4 runs; say mixed: true");
    }

    @Test
    void propagatedInputsAreThoseOfThePrunedBlocks() {
        Recipe propagated = recipe("score: wanda");
        Recipe dense = recipe("score: wanda\ninputs: dense");
        Run a = run(propagated, calibration(6, 16), ScalarType.Float);
        Run b = run(dense, calibration(6, 16), ScalarType.Float);
        assertThat(a.weights.get("model.layers.0.mlp.down_proj"))
                .isEqualTo(b.weights.get("model.layers.0.mlp.down_proj"));
        assertThat(a.weights.get("model.layers.2.mlp.down_proj"))
                .isNotEqualTo(b.weights.get("model.layers.2.mlp.down_proj"));
        assertThat(a.outcome.blocks().get(0).outputError()).isGreaterThan(0);
        assertThat(b.outcome.blocks().get(0).outputError()).isNull();
    }

    @Test
    void wandaChoosesWhatItsFormulaSaysOnTheInputsThatReallyFlow() {
        Calibration calibration = calibration(3, 10);
        Run run =
                run(
                        recipe("score: wanda\nselect: {sparsity: 0.25}"),
                        calibration,
                        ScalarType.Float);
        try (TinyLlama model = new TinyLlama(SEED);
                Decoder decoder = model.open();
                Block block = decoder.block(0);
                PointerScope scope = new PointerScope()) {
            double[] squares = new double[12];
            for (long[] ids : calibration.sequences()) {
                block.forward(
                        decoder.embed(Tensors.longs(ids, 1, ids.length)),
                        (readers, input, _) -> {
                            if (readers.getFirst().kind().equals("q")) {
                                float[] values = Tensors.toFloats(input);
                                for (int i = 0; i < values.length; i++) {
                                    squares[i % 12] += (double) values[i] * values[i];
                                }
                            }
                        });
            }
            float[] dense =
                    Tensors.toFloats(model.tensor("model.layers.0.self_attn.q_proj.weight"));
            float[] pruned =
                    Objects.requireNonNull(run.weights.get("model.layers.0.self_attn.q_proj"));
            for (int row = 0; row < 12; row++) {
                int start = row * 12;
                List<Integer> columns = new ArrayList<>();
                for (int column = 0; column < 12; column++) {
                    columns.add(column);
                }
                columns.sort(
                        java.util.Comparator.comparingDouble(column ->
                                Math.abs(dense[start + column]) * Math.sqrt(squares[column])));
                assertThat(columns.subList(0, 3)).allMatch(column -> pruned[start + column] == 0);
                assertThat(columns.subList(3, 12))
                        .allMatch(column -> pruned[start + column] == dense[start + column]);
            }
        }
    }

    @Test
    void weightsAreRoundedToTheStoredTypeBeforeTheNextBlockSeesThem() {
        Run run =
                run(
                        recipe("solver: sparsegpt\nselect: {group: column-block}"),
                        calibration(6, 16),
                        ScalarType.BFloat16);
        run.weights.forEach((layer, weight) -> {
            for (float value : weight) {
                assertThat(Float.floatToIntBits(value) & 0xFFFF).as(layer).isZero();
            }
        });
    }

    @Test
    void aMethodThatReadsDataIsRefusedWithoutAny() {
        assertThatThrownBy(() -> run(recipe("score: wanda"), Calibration.NONE, ScalarType.Float))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("--calibration");
        run(recipe("score: magnitude"), Calibration.NONE, ScalarType.Float);
    }

    @Test
    void whatMakesNoSenseIsRefusedBeforeWorkBeginsWithEveryReason() {
        assertThatThrownBy(() -> Method.of(recipe("select: {group: row}")))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("names no score");
        assertThatThrownBy(() ->
                        Method.of(
                                recipe(
                                        "score: wnada\nallocate: {method: owl, lamda: 1}\nsolver: obs\nrepair: x")))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("score: unknown method 'wnada'")
                .hasMessageContaining("allocate.lamda: unknown parameter")
                .hasMessageContaining("solver: unknown method 'obs'")
                .hasMessageContaining("repair: unknown method 'x'");
        assertThatThrownBy(() ->
                        Method.of(
                                recipe("score: magnitude\nallocate: owl\nselect: {group: global}")))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("nothing to decide");
        assertThatThrownBy(() -> Method.of(recipe("solver: sparsegpt\nselect: {group: row}")))
                .isInstanceOf(UserError.class);
        assertThatThrownBy(() ->
                        run(
                                recipe("score: magnitude\nselect: {pattern: 3:8}"),
                                Calibration.NONE,
                                ScalarType.Float))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("more");
    }

    private static Recipe recipe(String parts) {
        return RecipeReader.read("test recipe", "name: test\n" + parts + "\n");
    }

    private static Calibration calibration(int sequences, int length) {
        Random random = new Random(7);
        List<long[]> ids = new ArrayList<>();
        for (int i = 0; i < sequences; i++) {
            // one odd length, so that batches differ
            ids.add(random.longs(i == 1 ? length - 3 : length, 0, 17).toArray());
        }
        return new Calibration(ids);
    }

    private static long zeros(float[] weight) {
        long zeros = 0;
        for (float value : weight) {
            zeros += value == 0 ? 1 : 0;
        }
        return zeros;
    }

    private record Run(PruneOutcome outcome, Map<String, float[]> weights) {}

    private static Run run(Recipe recipe, Calibration calibration, ScalarType storage) {
        Map<String, float[]> weights = new HashMap<>();
        LayerSink sink =
                (Linear linear, Tensor weight, @Nullable Tensor bias) ->
                        weights.put(linear.name(), Tensors.toFloats(weight));
        try (TinyLlama model = new TinyLlama(SEED);
                Decoder decoder = model.open()) {
            PrunePlan plan = PrunePlan.of(Method.of(recipe), decoder);
            PruneOutcome outcome =
                    new Pruner(plan, decoder, calibration, _ -> storage, Progress.SILENT).run(sink);
            return new Run(outcome, weights);
        }
    }
}
