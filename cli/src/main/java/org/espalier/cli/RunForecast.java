package org.espalier.cli;

import java.io.PrintStream;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.espalier.checkpoint.TensorInfo;
import org.espalier.core.recipe.Recipe;
import org.espalier.prune.Method;
import org.espalier.prune.PrunePlan;
import org.espalier.prune.calibrate.GivenStatistics;
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
 * @param seconds estimate of the time at the speed that the machine has just now (docs/limits.md says how good it is)
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
    /** The source and the output are each read for their checksums. */
    private static final int DIGESTS = 2;

    /**
     * Plans a run of the recipe on the model, as {@code prune} would.
     *
     * @param imatrix whether an importance matrix takes the place of the calibration pass
     */
    static RunForecast of(
            OpenModel open,
            Recipe recipe,
            @Nullable Integer samples,
            @Nullable Integer sequenceLength,
            boolean imatrix,
            MemoryBudget budget) {
        Method method = Method.of(recipe);
        PrunePlan.of(method, open.decoder());
        Recipe.CalibrationDefaults defaults = recipe.calibration();
        if (imatrix && method.readsData()) {
            GivenStatistics.require(recipe.name(), method.statistics());
        }
        int count =
                imatrix || !method.readsData() ? 0 : samples == null ? defaults.samples() : samples;
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
        MachineSpeed speed =
                MachineSpeed.measure(recipe.select().pattern(), recipe.select().sparsity());
        double seconds =
                operations / speed.operations()
                        + (Effort.traffic(model, plan) + output) / speed.bytes()
                        + weights / speed.weights()
                        + DIGESTS * output / speed.digested();
        return new RunForecast(
                recipe.name(),
                count,
                count == 0 ? 0 : length,
                plan,
                output,
                operations,
                speed.operations(),
                seconds);
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
                                ? ", runs no text"
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
