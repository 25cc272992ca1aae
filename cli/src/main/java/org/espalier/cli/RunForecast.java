package org.espalier.cli;

import java.io.PrintStream;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.checkpoint.TensorInfo;
import org.espalier.core.recipe.Recipe;
import org.espalier.core.tensor.Tensors;
import org.espalier.prune.Method;
import org.espalier.prune.PrunePlan;
import org.espalier.prune.memory.Effort;
import org.espalier.prune.memory.MemoryEstimate;
import org.espalier.prune.memory.MemoryModel;
import org.espalier.prune.memory.MemoryPlan;
import org.jspecify.annotations.Nullable;

/**
 * What a pruning is going to take, said before anything begins.
 *
 * @param recipe name of the recipe
 * @param samples calibration sequences
 * @param sequenceLength tokens of each
 * @param plan memory and how it is spared
 * @param outputBytes size of the weights that are written
 * @param operations floating-point operations in matrix products and factorizations
 * @param operationsPerSecond what a product of two large matrices reached just now
 * @param seconds estimate of the time on a machine that does nothing else; good to a factor of two or three
 */
record RunForecast(
        String recipe,
        int samples,
        int sequenceLength,
        MemoryPlan plan,
        long outputBytes,
        double operations,
        double operationsPerSecond,
        double seconds) {
    private static final int SIDE = 2048;
    private static final int PRODUCTS = 4;

    /** Scoring, selecting, rounding, checking and writing a weight, with two threads (docs/limits.md). */
    private static final double SECONDS_PER_WEIGHT = 40e-9;

    /** The source is read for its checksum and for its weights, the output written and read for its checksum. */
    private static final int TRIPS = 4;

    private static final double BYTES_PER_SECOND = 4e8;

    /** Plans a run of the recipe on the model, as {@code prune} would. */
    static RunForecast of(
            OpenModel open,
            Recipe recipe,
            @Nullable Integer samples,
            @Nullable Integer sequenceLength,
            MemoryBudget budget) {
        Method method = Method.of(recipe);
        PrunePlan.of(method, open.decoder());
        Recipe.CalibrationDefaults defaults = recipe.calibration();
        int count = !method.readsData() ? 0 : samples == null ? defaults.samples() : samples;
        int length =
                Math.min(
                        open.positions(),
                        sequenceLength == null ? defaults.sequenceLength() : sequenceLength);
        int storedBytes = open.checkpoint().dominantDtype().bits() / 8;
        MemoryModel model =
                MemoryBudget.model(
                        method, open.decoder(), Collections.nCopies(count, length), storedBytes);
        MemoryPlan plan = budget.plan(model);
        long output =
                open.checkpoint().tensors().values().stream().mapToLong(TensorInfo::bytes).sum();
        long weights = open.decoder().linears().stream().mapToLong(linear -> linear.size()).sum();
        double operations = Effort.operations(model, plan);
        double rate = rate();
        double seconds =
                operations / rate
                        + weights * SECONDS_PER_WEIGHT
                        + TRIPS * output / BYTES_PER_SECOND;
        return new RunForecast(
                recipe.name(),
                count,
                count == 0 ? 0 : length,
                plan,
                output,
                operations,
                rate,
                seconds);
    }

    /** Operations per second of float32 matrix products, the best of a few. */
    private static double rate() {
        double best = 0;
        try (PointerScope scope = new PointerScope()) {
            Tensor matrix = torch.ones(new long[] {SIDE, SIDE}, Tensors.options(ScalarType.Float));
            for (int product = 0; product < PRODUCTS; product++) {
                long start = System.nanoTime();
                matrix.matmul(matrix).close();
                double seconds = (System.nanoTime() - start) * 1e-9;
                best = Math.max(best, 2.0 * SIDE * SIDE * SIDE / seconds);
            }
        }
        return best;
    }

    Map<String, Object> json() {
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("recipe", recipe);
        result.put("samples", samples);
        result.put("sequenceLength", sequenceLength);
        MemoryEstimate memory = plan.estimate();
        Map<String, Object> terms = new LinkedHashMap<>();
        terms.put("runtime", memory.runtime());
        terms.put("block", memory.block());
        terms.put("statistics", memory.statistics());
        terms.put("states", memory.states());
        terms.put("work", memory.work());
        terms.put("total", memory.total());
        result.put("memoryBytes", terms);
        result.put("measures", plan.measures());
        result.put("outputBytes", outputBytes);
        result.put("scratchBytes", plan.scratchBytes());
        result.put("operations", operations);
        result.put("operationsPerSecond", operationsPerSecond);
        result.put("seconds", seconds);
        return result;
    }

    void print(PrintStream out) {
        MemoryEstimate memory = plan.estimate();
        out.println(
                "recipe       "
                        + recipe
                        + (samples == 0
                                ? ", reads no text"
                                : ", " + samples + " sequences of " + sequenceLength + " tokens"));
        line(out, "runtime", memory.runtime());
        line(out, "block", memory.block());
        line(out, "statistics", memory.statistics());
        line(out, "states", memory.states());
        line(out, "work", memory.work());
        line(out, "memory", memory.total());
        List<String> measures = plan.measures();
        out.println(
                "             "
                        + (measures.isEmpty()
                                ? "everything in memory"
                                : String.join(", ", measures)));
        line(out, "output", outputBytes);
        line(out, "scratch", plan.scratchBytes());
        out.println(
                Words.format(
                        "time         about %.0f min: %.1f Tflop at %.0f Gflop/s, and the weights",
                        Math.max(1, seconds / 60), operations / 1e12, operationsPerSecond / 1e9));
    }

    private static void line(PrintStream out, String name, long bytes) {
        out.println(Words.format("%-12s %10s", name, MemorySize.words(bytes)));
    }
}
