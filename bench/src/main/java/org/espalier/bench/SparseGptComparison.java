package org.espalier.bench;

import com.sun.management.OperatingSystemMXBean;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
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
 * Run by {@code bench/run SparseGptComparison [size] [runs] [threads]} (4096, 5 and all processors unless told);
 * docs/measurements/sparsegpt-solver.md has figures.
 */
public final class SparseGptComparison {
    private static final int BLOCK = 128;
    private static final double DAMPING = 0.01;
    private static final int WARM_UP = 1024;
    private static final int WARM_UP_RUNS = 10;
    private static final OperatingSystemMXBean SYSTEM =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    private SparseGptComparison() {}

    /** Arguments: in_features = out_features, runs per side, threads. */
    public static void main(String[] arguments) {
        int size = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 4096;
        int runs = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 5;
        int threads =
                arguments.length > 2
                        ? Integer.parseInt(arguments[2])
                        : Runtime.getRuntime().availableProcessors();
        PrintStream out = System.out;
        Torch.threads(threads);
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
        LayerSolver fast = new SparseGpt(BLOCK, DAMPING);
        LayerSolver slow = new ColumnwiseSparseGpt(BLOCK, DAMPING);
        try (PointerScope scope = new PointerScope()) {
            LayerProblem small = RandomLayer.make(2, WARM_UP, WARM_UP, WARM_UP, pattern, 0.5, 0);
            for (int run = 0; run < WARM_UP_RUNS; run++) {
                solve(fast, small);
                solve(slow, small);
            }
            LayerProblem problem = RandomLayer.make(1, size, size, 2L * size, pattern, 0.5, 0);
            List<Run> fastRuns = new ArrayList<>();
            List<Run> slowRuns = new ArrayList<>();
            for (int run = 0; run < runs; run++) {
                try (PointerScope one = new PointerScope()) {
                    fastRuns.add(solve(fast, problem));
                    slowRuns.add(solve(slow, problem));
                    if (run == 0) {
                        agreement(
                                out,
                                problem,
                                fastRuns.getFirst().solution(),
                                slowRuns.getFirst().solution());
                    }
                }
            }
            report(out, name, "wall time", Run::seconds, fastRuns, slowRuns);
            report(out, name, "processor time", Run::processorSeconds, fastRuns, slowRuns);
        }
    }

    private static void report(
            PrintStream out,
            String name,
            String unit,
            ToDoubleFunction<Run> seconds,
            List<Run> fastRuns,
            List<Run> slowRuns) {
        double[] fast = fastRuns.stream().mapToDouble(seconds).sorted().toArray();
        double[] slow = slowRuns.stream().mapToDouble(seconds).sorted().toArray();
        out.printf(
                Locale.ROOT,
                "%s, %s: row by row %.2f s (%.2f to %.2f), column by column %.2f s (%.2f to %.2f): %.1f times%n",
                name,
                unit,
                median(fast),
                fast[0],
                fast[fast.length - 1],
                median(slow),
                slow[0],
                slow[slow.length - 1],
                median(slow) / median(fast));
    }

    /** How far the results of both sides agree. */
    private static void agreement(
            PrintStream out, LayerProblem problem, LayerSolution one, LayerSolution other) {
        try (PointerScope scope = new PointerScope()) {
            Tensor same = one.mask().keep().eq(other.mask().keep());
            Tensor distance = one.weight().sub(other.weight()).abs_();
            // A row in which one near tie fell differently goes its own way from there on.
            Tensor equalRows = same.all(1);
            out.printf(
                    Locale.ROOT,
                    "  masks differ in %d of %d weights, in %d of %d rows; removed %d and %d%n",
                    same.numel() - Tensors.countTrue(same),
                    same.numel(),
                    equalRows.numel() - Tensors.countTrue(equalRows),
                    equalRows.numel(),
                    one.mask().removed(),
                    other.mask().removed());
            out.printf(
                    Locale.ROOT,
                    "  largest difference of weights %.1e in rows with equal masks, %.1e in all (their standard deviation"
                            + " is 1); layer error %.7e and %.7e%n",
                    distance.max(1).get0().mul(equalRows).max().item_double(),
                    distance.max().item_double(),
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

    private static Run solve(LayerSolver solver, LayerProblem problem) {
        long processor = SYSTEM.getProcessCpuTime();
        long start = System.nanoTime();
        LayerSolution solution = solver.solve(problem);
        double seconds = (System.nanoTime() - start) / 1e9;
        return new Run(solution, seconds, (SYSTEM.getProcessCpuTime() - processor) / 1e9);
    }

    private static double median(double[] sorted) {
        return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
    }

    /** One timed solve; the processor time counts all threads and tells more where other work shares the machine. */
    private record Run(LayerSolution solution, double seconds, double processorSeconds) {}
}
