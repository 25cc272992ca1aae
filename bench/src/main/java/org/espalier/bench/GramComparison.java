package org.espalier.bench;

import com.sun.management.OperatingSystemMXBean;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.tensor.Tensors;
import org.espalier.core.tensor.Torch;
import org.espalier.network.Linear;
import org.espalier.prune.calibrate.LayerStatistics;
import org.espalier.prune.calibrate.Statistic;
import org.espalier.prune.calibrate.StatisticsCollector;

/**
 * Times the summing of a Gram matrix, largest magnitudes and mirroring included, against the whole product in panels of
 * 2048 rows that it replaced: both sides in turn in one JVM, the results compared to the bit. Run by
 * {@code bench/run GramComparison [runs] [tokens] [in_features]...} (5, 4096, and 1024, 2048, 4096 and 5632 unless told);
 * docs/measurements/gram-sum.md has figures.
 */
public final class GramComparison {
    private static final long PANEL = 2048;
    private static final int BATCHES = 4;
    private static final OperatingSystemMXBean SYSTEM =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    private GramComparison() {}

    /** Arguments: runs per side, tokens of a batch, widths. */
    public static void main(String[] arguments) {
        int runs = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 5;
        long tokens = arguments.length > 1 ? Long.parseLong(arguments[1]) : 4096;
        List<Long> widths =
                arguments.length > 2
                        ? Stream.of(arguments).skip(2).map(Long::valueOf).toList()
                        : List.of(1024L, 2048L, 4096L, 5632L);
        Torch.threads(Runtime.getRuntime().availableProcessors());
        PrintStream out = System.out;
        out.printf(
                Locale.ROOT,
                "%d batches of %d tokens, %d threads, %d pairs%n",
                BATCHES,
                tokens,
                Torch.threads(),
                runs);
        try (AutoGradMode noGrad = Tensors.noGrad()) {
            widths.forEach(width -> compare(out, width, tokens, runs));
        }
    }

    private static void compare(PrintStream out, long width, long tokens, int runs) {
        List<Double> whole = new ArrayList<>();
        List<Double> half = new ArrayList<>();
        List<Double> ratios = new ArrayList<>();
        List<Double> processor = new ArrayList<>();
        boolean equal = true;
        // The first pair warms both sides up.
        for (int run = -1; run < runs; run++) {
            try (PointerScope scope = new PointerScope()) {
                Tensor input =
                        torch.randn(
                                new long[] {1, tokens, width}, Tensors.options(ScalarType.Float));
                Tensor sum =
                        torch.zeros(new long[] {width, width}, Tensors.options(ScalarType.Float));
                long used = SYSTEM.getProcessCpuTime();
                long start = System.nanoTime();
                for (int batch = 0; batch < BATCHES; batch++) {
                    product(sum, input.squeeze(0));
                }
                long usedUntil = SYSTEM.getProcessCpuTime();
                long middle = System.nanoTime();
                try (StatisticsCollector collector =
                        new StatisticsCollector(Set.of(Statistic.GRAM))) {
                    Linear linear =
                            new Linear(
                                    "up", 0, "up", width, width, false, Linear.BiasSlot.SWITCHABLE);
                    for (int batch = 0; batch < BATCHES; batch++) {
                        collector.input(List.of(linear), input);
                    }
                    LayerStatistics statistics = collector.of(linear);
                    long end = System.nanoTime();
                    long usedInAll = SYSTEM.getProcessCpuTime();
                    equal &= statistics.gramMatrix().equal(sum);
                    if (run >= 0) {
                        whole.add((middle - start) * 1e-9);
                        half.add((end - middle) * 1e-9);
                        ratios.add((double) (end - middle) / (middle - start));
                        processor.add((double) (usedInAll - usedUntil) / (usedUntil - used));
                    }
                }
            }
        }
        out.printf(
                Locale.ROOT,
                "%d: whole product %.3f s, half %.3f s, ratio %.2f (%.2f to %.2f), of processor time %.2f (%.2f to %.2f), %s%n",
                width,
                median(whole),
                median(half),
                median(ratios),
                ratios.stream().min(Double::compare).orElseThrow(),
                ratios.stream().max(Double::compare).orElseThrow(),
                median(processor),
                processor.stream().min(Double::compare).orElseThrow(),
                processor.stream().max(Double::compare).orElseThrow(),
                equal ? "equal to the bit" : "not equal to the bit");
    }

    private static void product(Tensor sum, Tensor input) {
        for (long from = 0; from < sum.size(0); from += PANEL) {
            try (PointerScope scope = new PointerScope()) {
                long rows = Math.min(PANEL, sum.size(0) - from);
                sum.narrow(0, from, rows).addmm_(input.narrow(1, from, rows).t(), input);
            }
        }
    }

    private static double median(List<Double> values) {
        return values.stream().sorted().toList().get(values.size() / 2);
    }
}
