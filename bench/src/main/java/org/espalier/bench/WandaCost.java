package org.espalier.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.progress.Progress;
import org.espalier.core.recipe.Recipe;
import org.espalier.core.recipe.RecipeReader;
import org.espalier.core.tensor.Tensors;
import org.espalier.core.tensor.Torch;
import org.espalier.network.Block;
import org.espalier.network.Decoder;
import org.espalier.prune.Method;
import org.espalier.prune.PruneOutcome;
import org.espalier.prune.PrunePlan;
import org.espalier.prune.Pruner;
import org.espalier.prune.calibrate.Calibration;
import org.espalier.prune.calibrate.HiddenStates;

/**
 * What Wanda costs above the bare calibration forward pass, with dense inputs (one pass through each block) and with
 * propagated inputs (two passes: the second makes the inputs of the next block). Both sides run in turn in one process;
 * the ratio is taken pair by pair. Arguments: hidden, intermediate, blocks, sequences, tokens, rounds.
 */
public final class WandaCost {
    private WandaCost() {}

    /** Prints one line per mode. */
    public static void main(String[] arguments) {
        int[] sizes = {1024, 2816, 4, 16, 512, 5};
        for (int i = 0; i < arguments.length; i++) {
            sizes[i] = Integer.parseInt(arguments[i]);
        }
        Calibration calibration = calibration(sizes[3], sizes[4], 1000);
        System.out.printf(
                "hidden %d, intermediate %d, %d blocks, %d sequences of %d tokens, %d rounds, %d threads%n",
                sizes[0], sizes[1], sizes[2], sizes[3], sizes[4], sizes[5], Torch.threads());
        try (RandomLlama model = new RandomLlama(sizes[0], sizes[1], sizes[2], 1000, 1);
                Decoder decoder = model.open()) {
            for (String inputs : List.of("dense", "propagated")) {
                Recipe recipe =
                        RecipeReader.read(
                                "bench", "name: bench\nscore: wanda\ninputs: " + inputs + "\n");
                PrunePlan plan = PrunePlan.of(Method.of(recipe), decoder);
                int passes = inputs.equals("dense") ? 1 : 2;
                List<Double> bare = new ArrayList<>();
                List<Double> wanda = new ArrayList<>();
                List<Double> ratios = new ArrayList<>();
                for (int round = 0; round <= sizes[5]; round++) {
                    double forward = bare(decoder, calibration, passes);
                    double pruning = wanda(plan, decoder, calibration);
                    if (round > 0) { // the first round warms up
                        bare.add(forward);
                        wanda.add(pruning);
                        ratios.add(pruning / forward);
                    }
                }
                System.out.printf(
                        "inputs %-10s  %d bare pass(es) %.2f s  Wanda %.2f s  ratio %.3f (min %.3f, max %.3f)%n",
                        inputs,
                        passes,
                        median(bare),
                        median(wanda),
                        median(ratios),
                        ratios.stream().mapToDouble(r -> r).min().orElseThrow(),
                        ratios.stream().mapToDouble(r -> r).max().orElseThrow());
            }
        }
    }

    /** The same walk without statistics, scores and selection; the last block needs no second pass. */
    private static double bare(Decoder decoder, Calibration calibration, int passes) {
        long start = System.nanoTime();
        try (AutoGradMode noGrad = Tensors.noGrad();
                HiddenStates states = HiddenStates.embed(calibration, decoder::embed)) {
            for (int index = 0; index < decoder.blocks(); index++) {
                try (Block block = decoder.block(index)) {
                    int times = index == decoder.blocks() - 1 ? 1 : passes;
                    for (int pass = 1; pass <= times; pass++) {
                        for (int batch = 0; batch < states.size(); batch++) {
                            try (PointerScope scope = new PointerScope()) {
                                var output = block.forward(states.get(batch), null);
                                if (pass == times) {
                                    states.set(batch, output);
                                }
                            }
                        }
                    }
                }
            }
        }
        return (System.nanoTime() - start) / 1e9;
    }

    private static double wanda(PrunePlan plan, Decoder decoder, Calibration calibration) {
        long start = System.nanoTime();
        PruneOutcome outcome =
                new Pruner(plan, decoder, calibration, _ -> ScalarType.Float, Progress.SILENT)
                        .run((linear, weight, bias) -> {});
        if (outcome.sparsity() != 0.5) {
            throw new IllegalStateException("sparsity is " + outcome.sparsity());
        }
        return (System.nanoTime() - start) / 1e9;
    }

    private static Calibration calibration(int sequences, int tokens, int vocabulary) {
        Random random = new Random(1);
        List<long[]> ids = new ArrayList<>();
        for (int i = 0; i < sequences; i++) {
            ids.add(random.longs(tokens, 0, vocabulary).toArray());
        }
        return new Calibration(ids);
    }

    private static double median(List<Double> values) {
        double[] sorted = values.stream().mapToDouble(v -> v).toArray();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }
}
