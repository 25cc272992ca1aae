package org.espalier.prune.solve;

import java.util.Random;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.pattern.Group;
import org.espalier.core.pattern.Pattern;
import org.espalier.core.tensor.Tensors;
import org.espalier.prune.calibrate.LayerStatistics;
import org.espalier.prune.layer.LayerProblem;
import org.espalier.prune.select.Mask;
import org.jspecify.annotations.Nullable;

/** Random layers for the tests of solvers and repairs; all randomness comes from the seed. */
public final class Layers {
    private Layers() {}

    /** Standard normal values, float32. */
    public static Tensor normal(long seed, int rows, int columns) {
        Random random = new Random(seed);
        float[] values = new float[rows * columns];
        for (int index = 0; index < values.length; index++) {
            values[index] = (float) random.nextGaussian();
        }
        return Tensors.floats(values, rows, columns);
    }

    /** Inputs whose features share a common part, so that they can stand in for each other. */
    public static Tensor correlated(long seed, int tokens, int columns) {
        Tensor hidden = normal(seed, tokens, Math.max(1, columns / 3));
        Tensor mix = normal(seed + 1, Math.max(1, columns / 3), columns);
        return hidden.matmul(mix).add(normal(seed + 2, tokens, columns)).contiguous();
    }

    /** What {@code sequences} sequences of these tokens say. */
    public static LayerStatistics gram(Tensor inputs, long sequences) {
        return gramOf(inputs.t().matmul(inputs), sequences, inputs.size(0));
    }

    /** Statistics with a given Gram matrix. */
    public static LayerStatistics gramOf(Tensor gram, long sequences, long tokens) {
        return new LayerStatistics(sequences, tokens, null, null, null, gram);
    }

    /** A random layer with correlated inputs. */
    public static LayerProblem random(
            long seed, int rows, int columns, int tokens, Pattern pattern, double sparsity) {
        return problem(
                normal(seed, rows, columns),
                gram(correlated(seed + 10, tokens, columns), 2),
                pattern,
                sparsity,
                null);
    }

    /** A layer without a bias. */
    public static LayerProblem problem(
            Tensor weight,
            LayerStatistics statistics,
            Pattern pattern,
            double sparsity,
            @Nullable Mask support) {
        return new LayerProblem(weight, null, statistics, pattern, sparsity, support);
    }

    /** The same layer with a support chosen beforehand. */
    public static LayerProblem with(LayerProblem problem, Mask support) {
        return problem(
                problem.weight(),
                problem.statistics(),
                problem.pattern(),
                problem.sparsity(),
                support);
    }

    /** SparseGPT's own comparison group. */
    public static Pattern blocks(int width) {
        return new Pattern.Unstructured(new Group.ColumnBlock(width));
    }

    /** The Hessian as the official code makes it: 2/n X^T X plus damping times its mean diagonal, in float64. */
    public static double[][] hessian(LayerProblem problem, double damping) {
        int size = (int) problem.weight().size(1);
        double[] flat = Tensors.toDoubles(problem.statistics().gramMatrix());
        double scale = 2.0 / problem.statistics().sequences();
        double[][] hessian = new double[size][size];
        double mean = 0;
        for (int row = 0; row < size; row++) {
            for (int column = 0; column < size; column++) {
                hessian[row][column] = scale * flat[row * size + column];
            }
            mean += hessian[row][row] / size;
        }
        for (int row = 0; row < size; row++) {
            hessian[row][row] += damping * mean;
        }
        return hessian;
    }

    /** trace((W - V) H (W - V)^T), the layer's output error. */
    public static double error(Tensor dense, Tensor pruned, double[][] hessian) {
        double[] difference = Tensors.toDoubles(dense.sub(pruned));
        int columns = hessian.length;
        double error = 0;
        for (int start = 0; start < difference.length; start += columns) {
            for (int i = 0; i < columns; i++) {
                for (int j = 0; j < columns; j++) {
                    error += difference[start + i] * hessian[i][j] * difference[start + j];
                }
            }
        }
        return error;
    }
}
