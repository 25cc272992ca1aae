package org.espalier.prune.solve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Map;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.Rounding;
import org.espalier.core.pattern.Group;
import org.espalier.core.pattern.Pattern;
import org.espalier.core.recipe.Parameters;
import org.espalier.core.recipe.Part;
import org.espalier.core.recipe.Problems;
import org.espalier.core.tensor.Tensors;
import org.espalier.core.tensor.Torch;
import org.espalier.prune.layer.LayerProblem;
import org.espalier.prune.layer.LayerSolution;
import org.espalier.prune.select.Mask;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The golden cases of the card sparsegpt. */
class SparseGptTest {
    private final SparseGpt solver = new SparseGpt(128, 0.01);
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
    void withoutCorrelationsItIsMagnitudePruningPerBlockAndSurvivorsStayAsTheyWere() {
        int rows = 5;
        int columns = 300;
        Tensor weight = Layers.normal(1, rows, columns);
        LayerProblem problem =
                Layers.problem(
                        weight,
                        Layers.gramOf(torch.eye(columns).mul(new Scalar(3.5)), 4, 100),
                        Layers.blocks(128),
                        0.5,
                        null);
        LayerSolution solution = solver.solve(problem);
        float[] dense = Tensors.toFloats(weight);
        float[] pruned = Tensors.toFloats(solution.weight());
        for (int from = 0; from < columns; from += 128) {
            int left = from;
            int width = Math.min(128, columns - from);
            int[] block =
                    IntStream.range(0, rows * width)
                            .map(i -> i / width * columns + left + i % width)
                            .toArray();
            int removed = (int) Rounding.removed(block.length, 0.5);
            float[] magnitudes = new float[block.length];
            for (int index = 0; index < block.length; index++) {
                magnitudes[index] = Math.abs(dense[block[index]]);
            }
            Arrays.sort(magnitudes);
            for (int index : block) {
                float expected =
                        Math.abs(dense[index]) <= magnitudes[removed - 1] ? 0 : dense[index];
                assertThat(pruned[index]).isEqualTo(expected);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"40, 300, 500", "1, 1, 3", "7, 129, 60", "3, 127, 1", "66, 520, 900"})
    void lossLiesBetweenMaskOnlyAndTheExactOptimumAndCountsAreExact(
            int rows, int columns, int tokens) {
        LayerProblem problem =
                Layers.random(7L * columns, rows, columns, tokens, Layers.blocks(128), 0.6);
        LayerSolution solution = solver.solve(problem);
        checkSandwich(problem, solution);
        for (int from = 0; from < columns; from += 128) {
            int width = Math.min(128, columns - from);
            Tensor keep = solution.mask().keep().narrow(1, from, width);
            assertThat(keep.numel() - Tensors.countTrue(keep))
                    .isEqualTo(Rounding.removed(keep.numel(), 0.6));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "2, 4, 128",
        "4, 8, 128",
        "1, 3, 128",
        "2, 4, 1",
        "3, 4, 6",
        "5, 7, 3",
        "4, 4, 128"
    })
    void nOfMKeepsExactlyNInEveryGroupForAnyBlock(int n, int m, int block) {
        LayerProblem problem =
                Layers.random(11, 9, 33 * m, 200, new Pattern.NofM(n, m), 1 - (double) n / m);
        LayerSolution solution = new SparseGpt(block, 0.01).solve(problem);
        checkSandwich(problem, solution);
        float[] keep = Tensors.toFloats(solution.mask().keep());
        for (int group = 0; group < keep.length; group += m) {
            int kept = 0;
            for (int column = 0; column < m; column++) {
                kept += (int) keep[group + column];
            }
            assertThat(kept).isEqualTo(n);
        }
    }

    @Test
    void blockSizeDoesNotChangeNOfM() {
        LayerProblem problem = Layers.random(3, 6, 1200, 900, new Pattern.NofM(2, 4), 0.5);
        LayerSolution wide = new SparseGpt(128, 0.01).solve(problem);
        LayerSolution narrow = new SparseGpt(5, 0.01).solve(problem);
        assertThat(torch.equal(wide.mask().keep(), narrow.mask().keep())).isTrue();
        assertThat(distance(wide.weight(), narrow.weight())).isLessThan(1e-3);
    }

    @ParameterizedTest
    @CsvSource({"0", "3", "8", "150"})
    void removingOneWeightIsTheTextbookObsStepOnTheColumnsFromThereOn(int removed) {
        int columns = 151;
        LayerProblem problem = Layers.random(5, 1, columns, 400, Layers.blocks(128), 0);
        Tensor keep = torch.ones(new long[] {1, columns}, Tensors.options(ScalarType.Bool));
        keep.narrow(1, removed, 1).zero_();
        LayerSolution solution = solver.solve(Layers.with(problem, new Mask(keep)));

        double[] dense = Tensors.toDoubles(problem.weight());
        int[] trailing = IntStream.range(removed, columns).toArray();
        double[] unit = new double[trailing.length];
        unit[0] = 1;
        double[] inverseColumn =
                Exact.solve(Exact.submatrix(Layers.hessian(problem, 0.01), trailing), unit);
        double[] pruned = Tensors.toDoubles(solution.weight());
        for (int index = 0; index < columns; index++) {
            double expected =
                    index < removed
                            ? dense[index]
                            : dense[index]
                                    - dense[removed]
                                            / inverseColumn[0]
                                            * inverseColumn[index - removed];
            assertThat(pruned[index]).isCloseTo(expected, within(2e-4));
        }
        assertThat(Float.floatToRawIntBits(Tensors.toFloats(solution.weight())[removed])).isZero();
    }

    @Test
    void removingTheLeadingColumnsOneByOneEqualsTheJointRefit() {
        int columns = 200;
        LayerProblem problem = Layers.random(6, 3, columns, 500, Layers.blocks(128), 0);
        Tensor keep = torch.ones(new long[] {3, columns}, Tensors.options(ScalarType.Bool));
        for (int row = 0; row < 3; row++) {
            keep.select(0, row).narrow(0, 0, 60 + 50 * row).zero_();
        }
        LayerSolution solution = solver.solve(Layers.with(problem, new Mask(keep)));
        Tensor joint = Exact.refit(problem.weight(), keep, Layers.hessian(problem, 0.01));
        assertThat(distance(solution.weight(), joint)).isLessThan(2e-3);
    }

    @Test
    void aGivenSupportIsKeptWhateverItsPattern() {
        LayerProblem problem =
                Layers.random(8, 10, 140, 300, new Pattern.Unstructured(new Group.Row()), 0.5);
        Tensor keep = Layers.normal(9, 10, 140).gt(new Scalar(0.3));
        LayerSolution solution = solver.solve(Layers.with(problem, new Mask(keep)));
        assertThat(torch.equal(solution.mask().keep(), keep)).isTrue();
        checkSandwich(problem, solution);
    }

    @Test
    void deadColumnsBecomeZeroAndCountAsRemoved() {
        Tensor inputs = Layers.correlated(12, 300, 130);
        for (int column : new int[] {0, 77, 129}) {
            inputs.select(1, column).zero_();
        }
        LayerProblem problem =
                Layers.problem(
                        Layers.normal(13, 8, 130),
                        Layers.gram(inputs, 3),
                        Layers.blocks(128),
                        0.5,
                        null);
        LayerSolution solution = solver.solve(problem);
        assertThat(solution.mask().removed()).isEqualTo(8 * 128 / 2 + 8 * 2 / 2);
        for (int column : new int[] {0, 77, 129}) {
            assertThat(Tensors.toFloats(solution.weight().select(1, column))).containsOnly(0f);
            assertThat(Tensors.countTrue(solution.mask().keep().select(1, column))).isZero();
        }
    }

    @Test
    void nothingIsWrittenToTheDenseWeightAndOneThreadGivesTheSameBytes() {
        LayerProblem problem = Layers.random(14, 150, 260, 400, Layers.blocks(128), 0.5);
        float[] before = Tensors.toFloats(problem.weight());
        float[] first = Tensors.toFloats(solver.solve(problem).weight());
        float[] second = Tensors.toFloats(solver.solve(problem).weight());
        assertThat(second).isEqualTo(first);
        assertThat(Tensors.toFloats(problem.weight())).isEqualTo(before);
        int threads = Torch.threads();
        try {
            Torch.threads(1);
            assertThat(distance(solver.solve(problem).weight(), Tensors.floats(first, 150, 260)))
                    .isLessThan(1e-4);
        } finally {
            Torch.threads(threads);
        }
    }

    @Test
    void patternsThatItCannotChooseAreRefusedWithTheReason() {
        assertThat(solver.refusal(Layers.blocks(128))).isEmpty();
        assertThat(solver.refusal(new Pattern.NofM(2, 4))).isEmpty();
        assertThat(solver.refusal(Layers.blocks(64)).orElseThrow()).contains("128");
        assertThat(solver.refusal(new Pattern.Unstructured(new Group.Row())).orElseThrow())
                .contains("blocks of 128 columns");
        assertThat(solver.refusal(new Pattern.Unstructured(new Group.Layer()))).isPresent();
        assertThat(solver.refusal(new Pattern.Tiles(4, 4, new Group.Layer()))).isPresent();
        assertThatThrownBy(() ->
                        solver.solve(Layers.random(1, 2, 10, 20, new Pattern.NofM(2, 4), 0.5)))
                .hasMessageContaining("2x10")
                .hasMessageContaining("2:4");
    }

    @Test
    void defaultsAreThoseOfTheCardAndBoundsAreChecked() {
        Problems problems = new Problems("a recipe");
        assertThat(SparseGpt.from(new Parameters(Part.of("sparsegpt", "solver"), problems)))
                .isEqualTo(new SparseGpt(128, 0.01));
        Part part = new Part("sparsegpt", Map.of("block", 0, "damping", 0.5), "solver");
        assertThat(SparseGpt.from(new Parameters(part, problems)).damping()).isEqualTo(0.5);
        assertThatThrownBy(problems::throwIfAny).hasMessageContaining("solver.block");
    }

    private void checkSandwich(LayerProblem problem, LayerSolution solution) {
        double[][] hessian = Layers.hessian(problem, 0.01);
        Tensor keep = solution.mask().keep();
        Tensor maskOnly = solution.mask().apply(problem.weight());
        double masked = Layers.error(problem.weight(), maskOnly, hessian);
        double solved = Layers.error(problem.weight(), solution.weight(), hessian);
        double best =
                Layers.error(
                        problem.weight(), Exact.refit(problem.weight(), keep, hessian), hessian);
        assertThat(solved).isLessThanOrEqualTo(masked * (1 + 1e-6));
        assertThat(solved).isGreaterThanOrEqualTo(best * (1 - 1e-6) - 1e-12);
        if (solution.mask().removed() > 0 && problem.weight().size(1) > 1) {
            assertThat(solved).isLessThan(0.97 * masked);
        }
        float[] kept = Tensors.toFloats(keep);
        float[] values = Tensors.toFloats(solution.weight());
        for (int index = 0; index < kept.length; index++) {
            if (kept[index] == 0) {
                assertThat(Float.floatToRawIntBits(values[index])).isZero();
            }
        }
    }

    private static double distance(Tensor one, Tensor other) {
        return one.sub(other).abs().max().item_double();
    }
}
