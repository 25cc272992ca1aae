package org.espalier.prune.repair;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Objects;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.pattern.Group;
import org.espalier.core.pattern.Pattern;
import org.espalier.core.tensor.Tensors;
import org.espalier.core.tensor.Torch;
import org.espalier.prune.calibrate.LayerStatistics;
import org.espalier.prune.layer.LayerProblem;
import org.espalier.prune.layer.LayerSolution;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What every repair that leaves the surviving weights alone obeys; a new one is added to the list. */
class RepairContractTest {
    private static final Pattern ROW = new Pattern.Unstructured(new Group.Row());
    private static final int[][] SHAPES = {{1, 1}, {1, 12}, {12, 1}, {7, 33}, {40, 64}};

    static Stream<Repair> everyMaskOnlyRepair() {
        return Stream.of(
                new NoRepair(),
                new MeanToBias(MeanToBias.Layers.ALL),
                Dsnot.STANDARD,
                new Dsnot(new Dsnot.Cycles.Count(500), 0, 1, false, Dsnot.Layers.ALL),
                new Dsnot(new Dsnot.Cycles.Count(50), 0.001, 0.5, true, Dsnot.Layers.ALL));
    }

    @ParameterizedTest
    @MethodSource("everyMaskOnlyRepair")
    void survivorsAreBitIdenticalAndCountsStay(Repair repair) {
        for (int[] shape : SHAPES) {
            for (double sparsity : new double[] {0, 0.5, 0.9}) {
                try (PointerScope scope = new PointerScope()) {
                    RepairCase.random(1, shape[0], shape[1], ROW, sparsity)
                            .assertCountsKept(repair);
                }
            }
        }
        try (PointerScope scope = new PointerScope()) {
            RepairCase.random(2, 9, 24, new Pattern.NofM(2, 4), 0.5).assertCountsKept(repair);
            RepairCase.random(3, 9, 24, new Pattern.NofM(1, 3), 1 - 1 / 3.0)
                    .assertCountsKept(repair);
        }
    }

    @ParameterizedTest
    @MethodSource("everyMaskOnlyRepair")
    void inputsAreNotTouchedAndTheSameInputsGiveTheSameBytesOnAnyNumberOfThreads(Repair repair) {
        int threads = Torch.threads();
        try (PointerScope scope = new PointerScope()) {
            RepairCase layer = RepairCase.random(4, 50, 64, ROW, 0.6);
            LayerSolution start = layer.masked();
            Tensor[] inputs = {
                layer.problem().weight(),
                layer.problem().bias(),
                start.weight(),
                start.mask().keep(),
                layer.problem().statistics().sum()
            };
            float[][] before = Arrays.stream(inputs).map(Tensors::toFloats).toArray(float[][]::new);
            Torch.threads(1);
            LayerSolution one = repair.repair(layer.problem(), start);
            Torch.threads(3);
            LayerSolution other = repair.repair(layer.problem(), start);
            assertThat(Tensors.toFloats(other.weight())).isEqualTo(Tensors.toFloats(one.weight()));
            assertThat(bias(other)).isEqualTo(bias(one));
            for (int i = 0; i < inputs.length; i++) {
                assertThat(Tensors.toFloats(inputs[i])).isEqualTo(before[i]);
            }
        } finally {
            Torch.threads(threads);
        }
    }

    @ParameterizedTest
    @MethodSource("everyMaskOnlyRepair")
    void withoutTokensNothingIsRepaired(Repair repair) {
        try (PointerScope scope = new PointerScope()) {
            RepairCase seen = RepairCase.random(5, 6, 10, ROW, 0.5);
            LayerProblem unseen =
                    new LayerProblem(
                            seen.problem().weight(),
                            seen.problem().bias(),
                            LayerStatistics.NONE,
                            ROW,
                            0.5,
                            null);
            LayerSolution repaired = repair.repair(unseen, seen.masked());
            assertThat(Tensors.toFloats(repaired.weight())).isEqualTo(seen.start());
            assertThat(bias(repaired)).containsOnly(0);
        }
    }

    @ParameterizedTest
    @MethodSource("everyMaskOnlyRepair")
    void onlyARepairThatSaysSoChangesTheBias(Repair repair) {
        try (PointerScope scope = new PointerScope()) {
            RepairCase layer = RepairCase.random(6, 8, 30, ROW, 0.5);
            LayerSolution repaired = repair.repair(layer.problem(), layer.masked());
            assertThat(Arrays.equals(bias(repaired), new float[8]))
                    .isEqualTo(!repair.changesBias());
        }
    }

    @Test
    void meanToBiasMakesTheMeanOutputThatOfTheDenseLayer() {
        try (PointerScope scope = new PointerScope()) {
            RepairCase layer = RepairCase.random(7, 11, 37, ROW, 0.7);
            LayerSolution repaired =
                    new MeanToBias(MeanToBias.Layers.ALL).repair(layer.problem(), layer.masked());
            double[] missing = layer.expectedErrors(Tensors.toFloats(repaired.weight()));
            double tokensPerSequence = 32;
            for (int row = 0; row < missing.length; row++) {
                assertThat((double) bias(repaired)[row])
                        .isCloseTo(missing[row] / tokensPerSequence, within(1e-4));
            }
        }
    }

    @Test
    void meanToBiasMakesABiasWhereThereWasNone() {
        try (PointerScope scope = new PointerScope()) {
            Tensor dense = Tensors.floats(new float[] {1, 2, 3, 4}, 2, 2);
            Tensor pruned = Tensors.floats(new float[] {0, 2, 3, 0}, 2, 2);
            LayerStatistics statistics =
                    new LayerStatistics(
                            2, 10, null, Tensors.doubles(new double[] {5, -20}, 2), null, null);
            assertThat(Tensors.toFloats(MeanToBias.folded(dense, pruned, null, statistics)))
                    .containsExactly(0.5f, -8);
            Tensor bias = Tensors.floats(new float[] {1, 1}, 2);
            assertThat(Tensors.toFloats(MeanToBias.folded(dense, pruned, bias, statistics)))
                    .containsExactly(1.5f, -7);
        }
    }

    private static float[] bias(LayerSolution solution) {
        return Tensors.toFloats(Objects.requireNonNull(solution.bias()));
    }
}
