package org.espalier.prune.solve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.espalier.core.Rounding;
import org.espalier.core.pattern.Group;
import org.espalier.core.pattern.Pattern;
import org.espalier.core.recipe.Parameters;
import org.espalier.core.recipe.Part;
import org.espalier.core.recipe.Problems;
import org.espalier.core.tensor.Tensors;
import org.espalier.prune.layer.LayerProblem;
import org.espalier.prune.layer.LayerSolution;
import org.espalier.prune.select.Mask;
import org.espalier.prune.select.Selector;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The golden cases of the card alps. */
class AlpsTest {
    private static final Pattern LAYER = new Pattern.Unstructured(new Group.Layer());

    private final Alps solver = Alps.standard();
    private PointerScope scope;

    @BeforeEach
    void openScope() {
        scope = new PointerScope();
    }

    @AfterEach
    void closeScope() {
        scope.close();
    }

    @Test
    void withoutCorrelationsItIsMagnitudePruningOfTheWholeMatrix() {
        Tensor weight = Layers.normal(1, 11, 37);
        LayerProblem problem =
                Layers.problem(weight, Layers.gramOf(torch.eye(37), 1, 9), LAYER, 0.7, null);
        LayerSolution solution = solver.solve(problem);
        Mask expected = Selector.select(weight.abs(), LAYER, 0.7);
        assertThat(torch.equal(solution.mask().keep(), expected.keep())).isTrue();
        assertThat(difference(solution.weight(), expected.apply(weight))).isLessThan(1e-5);
    }

    @Test
    void removingNothingReturnsTheDenseWeightsToTheBit() {
        LayerProblem problem = Layers.random(2, 7, 30, 100, LAYER, 0);
        assertThat(torch.equal(solver.solve(problem).weight(), problem.weight())).isTrue();
    }

    @Test
    void itBeatsTheMagnitudeSupportAlwaysAndSparseGptMostly() {
        int betterThanSparseGpt = 0;
        for (int seed = 0; seed < 5; seed++) {
            LayerProblem problem = Layers.random(100 + seed, 24, 96, 400, LAYER, 0.7);
            LayerSolution solution = solver.solve(problem);
            assertThat(solution.mask().removed()).isEqualTo(Rounding.removed(24 * 96, 0.7));
            double[][] hessian = Layers.hessian(problem, 0.01);
            double error = Layers.error(problem.weight(), solution.weight(), hessian);
            Mask magnitude = Selector.select(problem.weight().abs(), LAYER, 0.7);
            double refitted =
                    Layers.error(
                            problem.weight(),
                            solver.solve(Layers.with(problem, magnitude)).weight(),
                            hessian);
            assertThat(error).isLessThan(refitted);
            LayerProblem blocks =
                    Layers.problem(
                            problem.weight(), problem.statistics(), Layers.blocks(128), 0.7, null);
            double sparseGpt =
                    Layers.error(
                            problem.weight(),
                            new SparseGpt(128, 0.01).solve(blocks).weight(),
                            hessian);
            betterThanSparseGpt += error < sparseGpt ? 1 : 0;
        }
        assertThat(betterThanSparseGpt).isGreaterThanOrEqualTo(4);
    }

    @ParameterizedTest
    @CsvSource({"2, 4", "4, 8", "1, 3"})
    void nOfMKeepsExactlyNInEveryGroup(int n, int m) {
        Pattern pattern = new Pattern.NofM(n, m);
        LayerProblem problem = Layers.random(3, 5, 12 * m, 200, pattern, 1 - (double) n / m);
        LayerSolution solution = solver.solve(problem);
        float[] keep = Tensors.toFloats(solution.mask().keep());
        float[] weights = Tensors.toFloats(solution.weight());
        for (int group = 0; group < keep.length; group += m) {
            int kept = 0;
            for (int index = group; index < group + m; index++) {
                kept += (int) keep[index];
                if (keep[index] == 0) {
                    assertThat(Float.floatToRawIntBits(weights[index])).isZero();
                }
            }
            assertThat(kept).isEqualTo(n);
        }
    }

    @Test
    void rowsCanBeComparedOneByOne() {
        Pattern rows = new Pattern.Unstructured(new Group.Row());
        LayerSolution solution = solver.solve(Layers.random(4, 6, 31, 100, rows, 0.6));
        for (int row = 0; row < 6; row++) {
            Tensor keep = solution.mask().keep().select(0, row);
            assertThat(31 - Tensors.countTrue(keep)).isEqualTo(Rounding.removed(31, 0.6));
        }
    }

    @Test
    void conjugateGradientsOnAGivenSupportReachTheNormalEquations() {
        LayerProblem problem = Layers.random(5, 8, 40, 300, LAYER, 0.5);
        Mask mask = new Mask(Layers.normal(6, 8, 40).gt(new Scalar(0.0)));
        LayerSolution patient = new Alps(0.1, 0.01, 300, 30, 200).solve(Layers.with(problem, mask));
        assertThat(torch.equal(patient.mask().keep(), mask.keep())).isTrue();
        Tensor exact = Exact.refit(problem.weight(), mask.keep(), Layers.hessian(problem, 0.01));
        assertThat(difference(patient.weight(), exact)).isLessThan(5e-3);
    }

    @Test
    void unusedInputsAndASingleTokenDoNoHarm() {
        Tensor inputs = Layers.normal(7, 1, 20);
        inputs.select(1, 4).zero_();
        LayerProblem problem =
                Layers.problem(Layers.normal(8, 3, 20), Layers.gram(inputs, 1), LAYER, 0.5, null);
        LayerSolution solution = solver.solve(problem);
        assertThat(solution.mask().removed()).isEqualTo(30);
        assertThat(solution.weight().isfinite().all().item_bool()).isTrue();
    }

    @Test
    void whatItCannotCompareIsRefused() {
        Pattern global = new Pattern.Unstructured(new Group.Global());
        assertThat(solver.refusal(global).orElseThrow()).contains("one layer at a time");
        assertThat(solver.refusal(LAYER)).isEmpty();
        assertThatThrownBy(() -> solver.solve(Layers.random(9, 2, 6, 20, global, 0.5)))
                .hasMessageContaining("one layer at a time");
    }

    @Test
    void defaultsAreThoseOfTheCardAndEveryKeyIsRead() {
        Problems problems = new Problems("a recipe");
        assertThat(Alps.from(new Parameters(Part.of("alps", "solver"), problems)))
                .isEqualTo(new Alps(0.1, 0.01, 300, 30, 10));
        Map<String, Object> keys =
                Map.of(
                        "rho", 0.2,
                        "damping", 0.1,
                        "iterations", 50,
                        "switching", 6,
                        "refinements", 3);
        Parameters parameters = new Parameters(new Part("alps", keys, "solver"), problems);
        assertThat(Alps.from(parameters)).isEqualTo(new Alps(0.2, 0.1, 50, 6, 3));
        parameters.finish();
        problems.throwIfAny();
    }

    private static double difference(Tensor one, Tensor other) {
        return one.sub(other).abs().max().item_double();
    }
}
