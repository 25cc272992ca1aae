package org.espalier.bench;

import static org.assertj.core.api.Assertions.assertThat;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.pattern.Group;
import org.espalier.core.pattern.Pattern;
import org.espalier.prune.calibrate.LayerStatistics;
import org.espalier.prune.layer.LayerProblem;
import org.espalier.prune.layer.LayerSolution;
import org.espalier.prune.solve.SparseGpt;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The fast sweep against the official formulation, weight by weight, in float32 and in float64. */
class ColumnwiseSparseGptTest {
    private static final Pattern BLOCKS = new Pattern.Unstructured(new Group.ColumnBlock(128));

    @ParameterizedTest
    @CsvSource({
        "37, 300, 700, 0.5",
        "37, 300, 1, 0.5",
        "1, 129, 200, 0.5",
        "64, 128, 90, 0.7",
        "9, 641, 300, 0.1",
        "5, 50, 90, 0"
    })
    void unstructured(int rows, int columns, int tokens, double sparsity) {
        compare(rows, columns, tokens, BLOCKS, sparsity, 0);
    }

    @ParameterizedTest
    @CsvSource({"2, 4, 37, 300, 700", "4, 8, 20, 520, 900", "1, 4, 3, 132, 1", "3, 4, 1, 4, 9"})
    void nOfM(int n, int m, int rows, int columns, int tokens) {
        compare(rows, columns, tokens, new Pattern.NofM(n, m), 1 - (double) n / m, 0);
    }

    @ParameterizedTest
    @CsvSource({"1", "17"})
    void deadColumns(int dead) {
        compare(11, 260, 300, BLOCKS, 0.5, dead);
        compare(11, 260, 300, new Pattern.NofM(2, 4), 0.5, dead);
    }

    private static void compare(
            int rows, int columns, int tokens, Pattern pattern, double sparsity, int dead) {
        try (PointerScope scope = new PointerScope()) {
            LayerProblem problem =
                    RandomLayer.make(31, rows, columns, tokens, pattern, sparsity, dead);
            LayerSolution fast = new SparseGpt(128, 0.01).solve(problem);
            LayerSolution slow = new ColumnwiseSparseGpt(128, 0.01).solve(problem);
            LayerSolution exact = new ColumnwiseSparseGpt(128, 0.01).solve(doubled(problem));
            assertThat(torch.equal(fast.mask().keep(), slow.mask().keep())).isTrue();
            assertThat(torch.equal(fast.mask().keep(), exact.mask().keep())).isTrue();
            double ours = distance(fast.weight(), exact.weight());
            double theirs = distance(slow.weight(), exact.weight());
            double largest = problem.weight().abs().max().item_double();
            // With one token float32 is 8e-4 away from float64, on either side.
            assertThat(ours).isLessThan(2 * theirs + 1e-6 * largest);
            assertThat(distance(fast.weight(), slow.weight())).isLessThanOrEqualTo(ours + theirs);
        }
    }

    private static LayerProblem doubled(LayerProblem problem) {
        LayerStatistics statistics = problem.statistics();
        return new LayerProblem(
                problem.weight().to(ScalarType.Double),
                null,
                new LayerStatistics(
                        statistics.sequences(),
                        statistics.tokens(),
                        null,
                        null,
                        null,
                        statistics.gramMatrix().to(ScalarType.Double)),
                problem.pattern(),
                problem.sparsity(),
                null);
    }

    private static double distance(Tensor one, Tensor other) {
        return one.sub(other).abs().max().item_double();
    }
}
