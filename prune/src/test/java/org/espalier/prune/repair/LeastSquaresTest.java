package org.espalier.prune.repair;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.management.ManagementFactory;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.pattern.Group;
import org.espalier.core.pattern.Pattern;
import org.espalier.core.tensor.Tensors;
import org.espalier.core.tensor.Torch;
import org.espalier.prune.layer.LayerProblem;
import org.espalier.prune.layer.LayerSolution;
import org.espalier.prune.select.Mask;
import org.espalier.prune.solve.Exact;
import org.espalier.prune.solve.Layers;
import org.espalier.prune.solve.SparseGpt;
import org.espalier.prune.solve.kernel.MaskedLeastSquares;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class LeastSquaresTest {
    private static final Pattern ROWS = new Pattern.Unstructured(new Group.Row());

    private final LeastSquares repair = new LeastSquares(0);
    private PointerScope scope;

    @BeforeEach
    void openScope() {
        scope = new PointerScope();
    }

    @AfterEach
    void closeScope() {
        scope.close();
    }

    /** Boxed supports took 42 bytes of heap for each survivor here, 20 of them until the end; now 19 come and go. */
    @Test
    void theHeapHoldsNoSupports() {
        LayerProblem problem = Layers.random(1, 700, 400, 900, ROWS, 0.5);
        Mask mask = new Mask(Layers.normal(2, 700, 400).gt(new Scalar(0.0)));
        int threads = Torch.threads();
        Torch.threads(1);
        try {
            // Interpreted code allocates where compiled code does not.
            repair(problem, mask);
            long before = heap();
            Tensor refit = repair(problem, mask).weight();
            assertThat((double) (heap() - before) / mask.kept()).isLessThan(30);
            assertThat(Tensors.countTrue(refit.ne(new Scalar(0.0)))).isEqualTo(mask.kept());
        } finally {
            Torch.threads(threads);
        }
    }

    /** Bytes that this thread has ever allocated on the heap. */
    private static long heap() {
        var bean = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        return bean.getCurrentThreadAllocatedBytes();
    }

    /** So many rows share a mask that their right sides are solved in parts. */
    @Test
    void rowsThatShareAMaskGetWhatEachGetsAlone() {
        int rows = 30_000;
        LayerProblem problem = Layers.random(3, rows, 70, 300, ROWS, 0.5);
        Tensor one = Layers.normal(4, 1, 70).gt(new Scalar(0.0));
        Tensor refit = repair(problem, new Mask(one.expand(rows, 70).contiguous())).weight();
        for (int row : new int[] {0, 17, 25_000, rows - 1}) {
            Tensor weight = problem.weight().narrow(0, row, 1).contiguous();
            Tensor alone =
                    MaskedLeastSquares.refit(problem.statistics().gramMatrix(), weight, one, 0);
            assertThat(difference(refit.narrow(0, row, 1), alone)).isLessThan(1e-6);
        }
    }

    @Test
    void theGradientVanishesOnTheSupportAndNoOtherWeightsAreBetter() {
        LayerProblem problem = Layers.random(1, 13, 61, 300, ROWS, 0.5);
        Mask mask = new Mask(Layers.normal(2, 13, 61).gt(new Scalar(0.1)));
        Tensor refit = repair(problem, mask).weight();
        double[][] hessian = Layers.hessian(problem, 0);
        assertThat(difference(refit, Exact.refit(problem.weight(), mask.keep(), hessian)))
                .isLessThan(1e-4);

        Tensor gram = problem.statistics().gramMatrix();
        Tensor gradient = refit.sub(problem.weight()).matmul(gram);
        double largest = problem.weight().matmul(gram).abs().max().item_double();
        assertThat(mask.apply(gradient).abs().max().item_double()).isLessThan(1e-4 * largest);

        double best = Layers.error(problem.weight(), refit, hessian);
        for (int trial = 0; trial < 20; trial++) {
            Tensor noise = Layers.normal(50 + trial, 13, 61).mul(new Scalar(0.01));
            Tensor other = mask.apply(refit.add(noise));
            assertThat(Layers.error(problem.weight(), other, hessian)).isGreaterThan(best);
        }
    }

    @Test
    void keepingEverythingReturnsTheDenseWeightsToTheBitAndKeepingNothingZero() {
        LayerProblem problem = Layers.random(3, 2, 40, 10, ROWS, 0);
        Tensor keep = torch.ones(new long[] {2, 40}, Tensors.options(ScalarType.Bool));
        keep.select(0, 1).zero_();
        float[] refit = Tensors.toFloats(repair(problem, new Mask(keep)).weight());
        float[] dense = Tensors.toFloats(problem.weight());
        for (int column = 0; column < 40; column++) {
            assertThat(refit[column]).isEqualTo(dense[column]);
            assertThat(Float.floatToRawIntBits(refit[40 + column])).isZero();
        }
    }

    @Test
    void sequentialObsOfTheLeadingColumnsEqualsTheJointRefit() {
        LayerProblem problem = Layers.random(4, 5, 200, 700, Layers.blocks(128), 0);
        Tensor keep = torch.ones(new long[] {5, 200}, Tensors.options(ScalarType.Bool));
        keep.narrow(1, 0, 90).zero_();
        LayerSolution sequential =
                new SparseGpt(128, 0.01).solve(Layers.with(problem, new Mask(keep)));
        LayerSolution joint = new LeastSquares(0.01).repair(problem, sequential);
        assertThat(difference(sequential.weight(), joint.weight())).isLessThan(2e-3);
    }

    @Test
    void rowsWithEqualSupportsGetWhatTheyGetAlone() {
        LayerProblem problem = Layers.random(5, 9, 33, 200, ROWS, 0.5);
        Tensor oneRow = Layers.normal(6, 1, 33).gt(new Scalar(0.0));
        Tensor keep = oneRow.expand(new long[] {9, 33}, false).contiguous();
        Tensor refit = repair(problem, new Mask(keep)).weight();
        Tensor expected = Exact.refit(problem.weight(), keep, Layers.hessian(problem, 0));
        assertThat(difference(refit, expected)).isLessThan(1e-4);
    }

    @Test
    void fewTokensAndUnusedInputsLeaveFiniteWeightsNearTheDenseOnes() {
        Tensor inputs = Layers.correlated(7, 5, 48);
        inputs.select(1, 11).zero_();
        LayerProblem problem =
                Layers.problem(Layers.normal(8, 6, 48), Layers.gram(inputs, 1), ROWS, 0.5, null);
        Tensor keep = Layers.normal(9, 6, 48).gt(new Scalar(0.0));
        keep.select(1, 11).fill_(new Scalar(1.0));
        Mask mask = new Mask(keep);
        Tensor refit = repair(problem, mask).weight();
        double[][] hessian = Layers.hessian(problem, 0);
        assertThat(Layers.error(problem.weight(), refit, hessian))
                .isLessThan(
                        0.01
                                * Layers.error(
                                        problem.weight(), mask.apply(problem.weight()), hessian));
        assertThat(refit.abs().max().item_double()).isLessThan(10);
        assertThat(difference(refit.select(1, 11), problem.weight().select(1, 11)))
                .isLessThan(1e-6);
    }

    @Test
    void aBrokenGramMatrixIsNamed() {
        LayerProblem problem =
                Layers.problem(
                        Layers.normal(10, 2, 4),
                        Layers.gramOf(torch.eye(4).neg(), 1, 4),
                        ROWS,
                        0.5,
                        null);
        Tensor keep =
                Tensors.floats(new float[] {1, 0, 1, 1, 1, 1, 0, 1}, 2, 4).to(ScalarType.Bool);
        assertThatThrownBy(() -> repair(problem, new Mask(keep)))
                .isInstanceOf(ArithmeticException.class)
                .hasMessageContaining("[4, 4]");
    }

    private LayerSolution repair(LayerProblem problem, Mask mask) {
        return repair.repair(problem, new LayerSolution(mask.apply(problem.weight()), null, mask));
    }

    private static double difference(Tensor one, Tensor other) {
        return one.sub(other).abs().max().item_double();
    }
}
