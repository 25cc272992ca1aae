package org.espalier.prune.repair;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.pattern.Pattern;
import org.espalier.core.tensor.Tensors;
import org.espalier.prune.calibrate.LayerStatistics;
import org.espalier.prune.layer.LayerProblem;
import org.espalier.prune.layer.LayerSolution;
import org.espalier.prune.score.Wanda;
import org.espalier.prune.select.ComparisonGroups;
import org.espalier.prune.select.Mask;
import org.espalier.prune.select.Selector;

/** A layer with a start mask, for repairs; use it within one scope. */
record RepairCase(LayerProblem problem, Mask mask) {
    static RepairCase of(
            float[] weight, int rows, Pattern pattern, int[] keep, LayerStatistics statistics) {
        int columns = weight.length / rows;
        float[] kept = new float[keep.length];
        for (int i = 0; i < keep.length; i++) {
            kept[i] = keep[i];
        }
        Tensor mask = Tensors.floats(kept, rows, columns).gt(new Scalar(0.0));
        Tensor matrix = Tensors.floats(weight, rows, columns);
        return new RepairCase(
                new LayerProblem(matrix, null, statistics, pattern, 0.5, null), new Mask(mask));
    }

    /** Gaussian weights under the Wanda mask, features with means and variances of their own. */
    static RepairCase random(long seed, int rows, int columns, Pattern pattern, double sparsity) {
        Random random = new Random(seed);
        float[] weight = new float[rows * columns];
        for (int i = 0; i < weight.length; i++) {
            weight[i] = (float) random.nextGaussian();
        }
        int sequences = 4;
        int tokens = 4 * 32;
        double[] sum = new double[columns];
        double[] squares = new double[columns];
        double[] variance = new double[columns];
        for (int j = 0; j < columns; j++) {
            double mean = random.nextGaussian();
            variance[j] = random.nextInt(5) == 0 ? 0 : random.nextDouble();
            sum[j] = mean * tokens;
            squares[j] = (mean * mean + variance[j]) * tokens;
        }
        LayerStatistics statistics =
                new LayerStatistics(
                        sequences,
                        tokens,
                        Tensors.doubles(squares, columns),
                        Tensors.doubles(sum, columns),
                        Tensors.doubles(variance, columns),
                        null);
        Tensor matrix = Tensors.floats(weight, rows, columns);
        Mask mask = Selector.select(new Wanda().score(matrix, statistics), pattern, sparsity);
        Tensor bias = Tensors.floats(new float[rows], rows);
        return new RepairCase(
                new LayerProblem(matrix, bias, statistics, pattern, sparsity, null), mask);
    }

    /** One sequence of one token whose features are all 1, with the given variances. */
    static LayerStatistics statistics(double... variance) {
        double[] ones = new double[variance.length];
        Arrays.fill(ones, 1);
        return new LayerStatistics(
                1,
                1,
                Tensors.doubles(ones, ones.length),
                Tensors.doubles(ones, ones.length),
                Tensors.doubles(variance, variance.length),
                null);
    }

    LayerSolution masked() {
        return new LayerSolution(mask.apply(problem.weight()), problem.bias(), mask);
    }

    float[] start() {
        return Tensors.toFloats(masked().weight());
    }

    float[] repaired(Repair repair) {
        return Tensors.toFloats(repair.repair(problem, masked()).weight());
    }

    float[] repaired(Repair repair, float[] solved) {
        Tensor weight = Tensors.floats(solved, Tensors.shape(problem.weight()));
        LayerSolution solution = new LayerSolution(weight, problem.bias(), mask);
        return Tensors.toFloats(repair.repair(problem, solution).weight());
    }

    /** (W - W') times the mean over the sequences of the sums over the tokens, per row. */
    double[] expectedErrors(float[] pruned) {
        double[] sums = Tensors.toDoubles(problem.statistics().meanOfSequenceSums());
        float[] dense = Tensors.toFloats(problem.weight());
        double[] errors = new double[dense.length / sums.length];
        for (int i = 0; i < dense.length; i++) {
            errors[i / sums.length] += ((double) dense[i] - pruned[i]) * sums[i % sums.length];
        }
        return errors;
    }

    static double norm(double[] values) {
        double sum = 0;
        for (double value : values) {
            sum += value * value;
        }
        return Math.sqrt(sum);
    }

    /** Checks that weight and mask agree, that survivors are dense weights, and that each group keeps its count. */
    void assertCountsKept(Repair repair) {
        LayerSolution repaired = repair.repair(problem, masked());
        float[] weight = Tensors.toFloats(repaired.weight());
        float[] dense = Tensors.toFloats(problem.weight());
        float[] keep = Tensors.toFloats(repaired.mask().keep());
        float[] before = Tensors.toFloats(mask.keep());
        for (int i = 0; i < weight.length; i++) {
            assertThat(Float.floatToRawIntBits(weight[i]))
                    .isEqualTo(keep[i] != 0 ? Float.floatToRawIntBits(dense[i]) : 0);
        }
        int columns = (int) problem.weight().size(1);
        int width = problem.pattern() instanceof Pattern.NofM(int _, int m) ? m : columns;
        for (int group = 0; group < weight.length; group += width) {
            float kept = 0;
            for (int i = group; i < group + width; i++) {
                kept += keep[i] - before[i];
            }
            assertThat(kept).as("group at %d", group).isZero();
        }
        assertThat(repaired.mask().removed())
                .isEqualTo(
                        ComparisonGroups.of(problem.pattern(), dense.length / columns, columns)
                                .removed(problem.sparsity()));
    }
}
