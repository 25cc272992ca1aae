package org.espalier.prune;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.UserError;
import org.espalier.core.pattern.Pattern;
import org.espalier.core.recipe.Recipe;
import org.espalier.core.recipe.Selection;
import org.espalier.core.tensor.Tensors;
import org.espalier.network.Linear;
import org.espalier.prune.calibrate.LayerStatistics;
import org.espalier.prune.calibrate.Statistic;
import org.espalier.prune.calibrate.StatisticsCollector;
import org.espalier.prune.layer.LayerSolution;
import org.espalier.prune.layer.NumericFailure;
import org.espalier.prune.repair.Dsnot;
import org.espalier.prune.repair.LeastSquares;
import org.espalier.prune.select.ComparisonGroups;
import org.espalier.prune.solve.Alps;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The contract of every recipe in the recipes folder on single layers that break numerics, with the statistics of the
 * real collector: the exact count in every pattern, finite weights, the dense layer to the bit where nothing goes, the
 * support that a float64 score chooses, and no refit that is worse than none. Only numbers that float32 cannot carry
 * may be refused.
 */
@Timeout(60)
class HostileLayerTest {
    private static final long SEED = 20261125;
    private static final int[][] SHAPES = {{1, 1}, {1, 12}, {12, 1}, {7, 33}, {24, 16}};
    private static final Set<HostileLayer> REFUSABLE =
            EnumSet.of(
                    HostileLayer.LARGEST_WEIGHTS,
                    HostileLayer.HUGE_INPUTS,
                    HostileLayer.TINY_INPUTS,
                    HostileLayer.ONE_TINY_CHANNEL);

    static Stream<Arguments> everyRecipeOnEveryLayer() {
        return StreamSupport.stream(RecipeBook.shipped().names().spliterator(), false)
                .flatMap(name ->
                        Stream.of(HostileLayer.values()).map(layer -> Arguments.of(name, layer)));
    }

    @ParameterizedTest
    @MethodSource("everyRecipeOnEveryLayer")
    void isCorrectOrRefusedInOneLine(String name, HostileLayer hostile) {
        Recipe recipe = RecipeBook.shipped().recipe(name);
        for (int[] shape : SHAPES) {
            for (double sparsity : new double[] {0, 0.5, 0.99}) {
                check(recipe, recipe.select().pattern(), sparsity, hostile, shape);
            }
            if (shape[1] % 4 == 0) {
                check(recipe, new Pattern.NofM(2, 4), 0.5, hostile, shape);
            }
        }
    }

    private static void check(
            Recipe recipe, Pattern pattern, double sparsity, HostileLayer hostile, int[] shape) {
        String about =
                "%s, %s at %s, on %s %dx%d, seed %d"
                        .formatted(
                                recipe.name(),
                                pattern,
                                sparsity,
                                hostile,
                                shape[0],
                                shape[1],
                                SEED);
        HostileLayer.Content layer = hostile.make(SEED, shape[0], shape[1]);
        Method method = Method.of(recipe.withSelect(selection(recipe, pattern, sparsity)));
        try (AutoGradMode noGrad = Tensors.noGrad();
                PointerScope scope = new PointerScope()) {
            LayerSolution solution = solve(method, layer, sparsity);
            float[] pruned = Tensors.toFloats(solution.weight());
            float[] keep = Tensors.toFloats(solution.mask().keep());
            assertThat(solution.mask().removed())
                    .as(about)
                    .isEqualTo(ComparisonGroups.of(pattern, shape[0], shape[1]).removed(sparsity));
            for (int i = 0; i < pruned.length; i++) {
                assertThat(Float.isFinite(pruned[i])).as(about).isTrue();
                boolean dense = bits(pruned[i]) == bits(layer.weight[i]);
                boolean mayChange = sparsity > 0 && method.needs().contains(Statistic.GRAM);
                boolean right = keep[i] == 0 ? bits(pruned[i]) == 0 : dense || mayChange;
                assertThat(right)
                        .as("%s: element %d of %s became %s", about, i, layer.weight[i], pruned[i])
                        .isTrue();
            }
            if (method.score() != null && !(method.repair() instanceof Dsnot)) {
                SupportOracle.requireBest(about, method.score(), layer, pattern, keep);
            }
            if (method.repair() instanceof LeastSquares || method.solver() instanceof Alps) {
                float[] masked = layer.weight.clone();
                for (int i = 0; i < masked.length; i++) {
                    masked[i] = keep[i] == 0 ? 0 : masked[i];
                }
                // The second term is what float32 rounding of the whole output may cost.
                double rounding = 1e-9 * layer.error(new float[pruned.length]);
                assertThat(layer.error(pruned))
                        .as(about)
                        .isLessThanOrEqualTo(1.001 * layer.error(masked) + rounding);
            }
        } catch (UserError | NumericFailure refusal) {
            assertThat(refusal.getMessage()).as(about).isNotBlank().doesNotContain("\n");
            assertThat(hostile).as(about + ": " + refusal.getMessage()).isIn(REFUSABLE);
        }
    }

    /** N:M with an N of its own for each matrix where the allocation has it so. */
    private static Selection selection(Recipe recipe, Pattern pattern, double sparsity) {
        boolean mixed =
                pattern instanceof Pattern.NofM && !recipe.allocate().method().equals("uniform");
        return new Selection(pattern, sparsity, mixed);
    }

    /** As the pruner does it. */
    private static LayerSolution solve(Method method, HostileLayer.Content layer, double sparsity) {
        Linear linear =
                new Linear(
                        "layer", 0, "q", layer.rows, layer.columns, false, Linear.BiasSlot.PRESENT);
        try (StatisticsCollector collector = new StatisticsCollector(method.needs())) {
            collector.input(
                    List.of(linear),
                    Tensors.floats(layer.inputs, 1, layer.tokens(), layer.columns));
            LayerStatistics statistics = collector.of(linear);
            Tensor weight = Tensors.floats(layer.weight, layer.rows, layer.columns);
            Finite.requireStatistics(linear, statistics);
            Tensor lost = collector.lost(linear);
            if (lost != null) {
                Finite.requireSquares(linear, weight, lost, statistics);
            }
            return method.solve(linear.kind(), weight, null, statistics, sparsity);
        }
    }

    private static int bits(float value) {
        return Float.floatToRawIntBits(value);
    }
}
