package org.espalier.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.CheckpointWriter;
import org.espalier.core.progress.Progress;
import org.espalier.core.tensor.NativeMemory;
import org.espalier.core.tensor.Tensors;
import org.espalier.core.tensor.Torch;
import org.espalier.network.Block;
import org.espalier.network.Decoder;
import org.espalier.prune.BlockOutcome;
import org.espalier.prune.Method;
import org.espalier.prune.PruneOutcome;
import org.espalier.prune.PrunePlan;
import org.espalier.prune.Pruner;
import org.espalier.prune.RecipeBook;
import org.espalier.prune.calibrate.Calibration;
import org.espalier.prune.calibrate.HiddenStates;
import org.espalier.prune.memory.MemoryEstimate;
import org.espalier.prune.memory.MemoryModel;
import org.espalier.prune.memory.MemoryPlanner;

/**
 * Prunes a whole checkpoint into a new folder and reports the time per block against a bare forward pass, the peak of the
 * resident memory against its bound and the plan, and the bytes that were read and written. Arguments: checkpoint,
 * folder to make, recipe, sequences, tokens per sequence.
 */
public final class WholeRun {
    private WholeRun() {}

    /** Runs once and prints the figures. */
    public static void main(String[] arguments) throws IOException {
        Path source = Path.of(arguments[0]);
        int sequences = Integer.parseInt(arguments[3]);
        int tokens = Integer.parseInt(arguments[4]);
        Method method = Method.of(RecipeBook.shipped().recipe(arguments[2]));
        Torch.threads(Runtime.getRuntime().availableProcessors());
        try (Checkpoint checkpoint = Checkpoint.open(source);
                Decoder decoder = Decoder.open(checkpoint);
                CheckpointWriter writer =
                        CheckpointWriter.create(checkpoint, Path.of(arguments[1]), null)) {
            Random random = new Random(1);
            int vocabulary = (int) decoder.config().vocabulary();
            Calibration calibration =
                    new Calibration(
                            IntStream.range(0, sequences)
                                    .mapToObj(_ -> random.longs(tokens, 0, vocabulary).toArray())
                                    .toList());
            double bare = bare(decoder, calibration);
            long start = System.nanoTime();
            PruneOutcome outcome =
                    new Pruner(
                                    PrunePlan.of(method, decoder),
                                    decoder,
                                    calibration,
                                    name -> writer.targetDtype(name).scalarType().orElseThrow(),
                                    Progress.SILENT)
                            .run((linear, weight, bias) ->
                                    writer.write(linear.weightName(), weight));
            writer.commit();
            double seconds = (System.nanoTime() - start) * 1e-9;
            MemoryModel model =
                    new MemoryModel(
                            method,
                            decoder.config(),
                            IntStream.range(0, decoder.blocks())
                                    .mapToObj(decoder::linears)
                                    .toList(),
                            method.readsData() ? Collections.nCopies(sequences, tokens) : List.of(),
                            checkpoint.dominantDtype().bits() / 8);
            report(arguments, outcome, model, bare, seconds);
        }
    }

    /** Median seconds of a dense pass of a block over all tokens, without loading it; of the first three blocks. */
    private static double bare(Decoder decoder, Calibration calibration) {
        List<Double> times = new ArrayList<>();
        try (AutoGradMode noGrad = Tensors.noGrad();
                HiddenStates states = HiddenStates.embed(calibration, decoder::embed)) {
            for (int index = 0; index < Math.min(3, decoder.blocks()); index++) {
                try (Block block = decoder.block(index)) {
                    long start = System.nanoTime();
                    for (int batch = 0; batch < states.size(); batch++) {
                        try (PointerScope scope = new PointerScope()) {
                            states.set(batch, block.forward(states.get(batch), null));
                        }
                    }
                    times.add((System.nanoTime() - start) * 1e-9);
                }
            }
        }
        return median(times);
    }

    private static void report(
            String[] arguments,
            PruneOutcome outcome,
            MemoryModel model,
            double bare,
            double seconds)
            throws IOException {
        System.out.printf("%s%n", String.join(" ", arguments));
        System.out.printf(
                "%d blocks, %d threads, %.1f s, sparsity %.4f%n",
                outcome.blocks().size(), Torch.threads(), seconds, outcome.sparsity());
        System.out.printf(
                "per block (median): bare pass %.2f s, passes with statistics %.2f s, solving %.2f s%n",
                bare,
                median(outcome.blocks().stream().map(BlockOutcome::forwardSeconds).toList()),
                median(outcome.blocks().stream().map(BlockOutcome::solveSeconds).toList()));
        MemoryEstimate plan = MemoryPlanner.within(model, Long.MAX_VALUE).orElseThrow().estimate();
        long bound = plan.block() + plan.statistics() + plan.states() + (1L << 30);
        Long peak = NativeMemory.peak();
        System.out.printf(
                "peak resident %s bytes, bound %,d, plan %,d%n",
                peak == null ? "unknown" : String.format("%,d", peak), bound, plan.total());
        Path io = Path.of("/proc/self/io");
        if (Files.isReadable(io)) {
            Files.readAllLines(io).forEach(System.out::println);
        }
    }

    private static double median(List<Double> values) {
        List<Double> sorted = values.stream().sorted().toList();
        return sorted.get(sorted.size() / 2);
    }
}
