package org.espalier.prune.solve;

import org.bytedeco.pytorch.Tensor;
import org.espalier.core.tensor.Tensors;

/** Schoolbook linear algebra in float64, the judge of the fast code. */
public final class Exact {
    private Exact() {}

    /** Solves A x = b by Gaussian elimination with row pivoting. */
    public static double[] solve(double[][] matrix, double[] right) {
        int size = right.length;
        double[][] a = new double[size][];
        double[] b = right.clone();
        for (int row = 0; row < size; row++) {
            a[row] = matrix[row].clone();
        }
        for (int pivot = 0; pivot < size; pivot++) {
            int best = pivot;
            for (int row = pivot + 1; row < size; row++) {
                if (Math.abs(a[row][pivot]) > Math.abs(a[best][pivot])) {
                    best = row;
                }
            }
            double[] swappedRow = a[best];
            a[best] = a[pivot];
            a[pivot] = swappedRow;
            double swapped = b[best];
            b[best] = b[pivot];
            b[pivot] = swapped;
            for (int row = pivot + 1; row < size; row++) {
                double factor = a[row][pivot] / a[pivot][pivot];
                for (int column = pivot; column < size; column++) {
                    a[row][column] -= factor * a[pivot][column];
                }
                b[row] -= factor * b[pivot];
            }
        }
        for (int row = size - 1; row >= 0; row--) {
            for (int column = row + 1; column < size; column++) {
                b[row] -= a[row][column] * b[column];
            }
            b[row] /= a[row][row];
        }
        return b;
    }

    /** The principal submatrix at these indices. */
    public static double[][] submatrix(double[][] matrix, int[] indices) {
        double[][] part = new double[indices.length][indices.length];
        for (int row = 0; row < indices.length; row++) {
            for (int column = 0; column < indices.length; column++) {
                part[row][column] = matrix[indices[row]][indices[column]];
            }
        }
        return part;
    }

    /** Each row's best weights on its support: H_SS v_S = (H w)_S, and 0 elsewhere. */
    public static Tensor refit(Tensor dense, Tensor keep, double[][] hessian) {
        int columns = hessian.length;
        double[] weights = Tensors.toDoubles(dense);
        float[] kept = Tensors.toFloats(keep);
        double[] result = new double[weights.length];
        for (int start = 0; start < weights.length; start += columns) {
            int row = start;
            int[] support =
                    java.util.stream.IntStream.range(0, columns)
                            .filter(column -> kept[row + column] != 0)
                            .toArray();
            double[] right = new double[support.length];
            for (int index = 0; index < support.length; index++) {
                for (int column = 0; column < columns; column++) {
                    right[index] += hessian[support[index]][column] * weights[start + column];
                }
            }
            double[] solved = solve(submatrix(hessian, support), right);
            for (int index = 0; index < support.length; index++) {
                result[start + support[index]] = solved[index];
            }
        }
        return Tensors.doubles(result, dense.size(0), columns);
    }
}
