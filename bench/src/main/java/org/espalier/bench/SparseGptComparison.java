package org.espalier.bench;

import java.io.PrintStream;
import java.util.Arrays;
import java.util.Locale;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.pattern.Group;
import org.espalier.core.pattern.Pattern;
import org.espalier.core.tensor.Tensors;
import org.espalier.core.tensor.Torch;
import org.espalier.prune.layer.LayerProblem;
import org.espalier.prune.layer.LayerSolution;
import org.espalier.prune.solve.LayerSolver;
import org.espalier.prune.solve.SparseGpt;
import org.espalier.prune.solve.kernel.Kernels;

/**
 * Times the whole SparseGPT solve, factorization included, against the column-by-column formulation of its authors: one
 * layer with correlated random inputs, both sides in turn in one JVM, medians of the runs, and the results compared.
 * Run by {@code bench/sparsegpt [size] [runs]} (default 4096 and 5); docs/measurements/sparsegpt-solver.md has figures.
 */
public final class SparseGptComparison {
    private static final int BLOCK = 128;
    private static final double DAMPING = 0.01;

    private SparseGptComparison() {}

    /** Arguments: in_features = out_features, runs per side. */
    public static void main(String[] arguments) {
        int size = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 4096;
        int runs = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 5;
        PrintStream out = System.out;
        Torch.threads(Runtime.getRuntime().availableProcessors());
        out.printf(
                Locale.ROOT,
                "SparseGPT %d x %d, %d threads, kernels %s, median of %d runs in turn%n",
                size,
                size,
                Torch.threads(),
                Kernels.best().name(),
                runs);
        compare(out, "50 %", new Pattern.Unstructured(new Group.ColumnBlock(BLOCK)), size, runs);
        compare(out, "2:4", new Pattern.NofM(2, 4), size, runs);
    }

    private static void compare(PrintStream out, String name, Pattern pattern, int size, int runs) {
        try (PointerScope scope = new PointerScope()) {
            LayerProblem problem = RandomLayer.make(1, size, size, 2L * size, pattern, 0.5, 0);
            LayerSolver fast = new SparseGpt(BLOCK, DAMPING);
            LayerSolver slow = new ColumnwiseSparseGpt(BLOCK, DAMPING);
            double[] fastSeconds = new double[runs];
            double[] slowSeconds = new double[runs];
            agreement(out, problem, fast, slow);
            for (int run = 0; run < runs; run++) {
                fastSeconds[run] = seconds(fast, problem);
                slowSeconds[run] = seconds(slow, problem);
            }
            double fastMedian = median(fastSeconds);
            double slowMedian = median(slowSeconds);
            out.printf(
                    Locale.ROOT,
                    "%s: row by row %.2f s %s, column by column %.2f s %s: %.1f times%n",
                    name,
                    fastMedian,
                    range(fastSeconds),
                    slowMedian,
                    range(slowSeconds),
                    slowMedian / fastMedian);
        }
    }

    /** The first run of both sides: it warms the machine up and says how far the results agree. */
    private static void agreement(
            PrintStream out, LayerProblem problem, LayerSolver fast, LayerSolver slow) {
        try (PointerScope scope = new PointerScope()) {
            LayerSolution one = fast.solve(problem);
            LayerSolution other = slow.solve(problem);
            Tensor same = one.mask().keep().eq(other.mask().keep());
            long different = same.numel() - Tensors.countTrue(same);
            Tensor distance = one.weight().sub(other.weight()).abs_();
            // A row in which one near tie fell differently goes its own way from there on.
            Tensor equalRows = same.all(1);
            double among = distance.max(1).get0().mul(equalRows).max().item_double();
            out.printf(
                    Locale.ROOT,
                    "  masks differ in %d of %d weights, in %d of %d rows; removed %d and %d; largest difference"
                            + " of weights in rows with equal masks %.1e, of all %.1e, mean %.1e (standard"
                            + " deviation of the weights 1)%n",
                    different,
                    same.numel(),
                    equalRows.numel() - Tensors.countTrue(equalRows),
                    equalRows.numel(),
                    one.mask().removed(),
                    other.mask().removed(),
                    among,
                    distance.max().item_double(),
                    distance.mean().item_double());
            out.printf(
                    Locale.ROOT,
                    "  layer error: %.6e and %.6e%n",
                    error(problem, one),
                    error(problem, other));
        }
    }

    /** tr((V - W) G (V - W)^T), undamped. */
    private static double error(LayerProblem problem, LayerSolution solution) {
        try (PointerScope scope = new PointerScope()) {
            Tensor difference = solution.weight().sub(problem.weight());
            Tensor image = difference.matmul(problem.statistics().gramMatrix());
            return image.mul_(difference).to(ScalarType.Double).sum().item_double();
        }
    }

    private static double seconds(LayerSolver solver, LayerProblem problem) {
        try (PointerScope scope = new PointerScope()) {
            long start = System.nanoTime();
            solver.solve(problem);
            return (System.nanoTime() - start) / 1e9;
        }
    }

    private static double median(double[] seconds) {
        double[] sorted = seconds.clone();
        Arrays.sort(sorted);
        return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
    }

    private static String range(double[] seconds) {
        double least = Arrays.stream(seconds).min().orElseThrow();
        double most = Arrays.stream(seconds).max().orElseThrow();
        return String.format(Locale.ROOT, "(%.2f to %.2f)", least, most);
    }
}
