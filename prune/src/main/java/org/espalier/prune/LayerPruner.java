package org.espalier.prune;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.UserError;
import org.espalier.core.tensor.Tensors;
import org.espalier.network.Block;
import org.espalier.network.Linear;
import org.espalier.prune.calibrate.LayerStatistics;
import org.espalier.prune.layer.LayerSolution;
import org.espalier.prune.layer.NumericFailure;
import org.jspecify.annotations.Nullable;

/** Solves one matrix, rounds it to what is stored, hands it on and tells what became of it. */
final class LayerPruner {
    private final Walk walk;
    private final LayerSink sink;
    private final Finite finite = new Finite();

    LayerPruner(Walk walk, LayerSink sink) {
        this.walk = walk;
        this.sink = sink;
    }

    /** What happens to a solved matrix beside being written; it is given as it is stored and as float32. */
    @FunctionalInterface
    interface Change {
        /** Where nothing reads the block again. */
        Change NONE = (_, _, _, _) -> {};

        void accept(Linear linear, Tensor stored, Tensor weight, @Nullable Tensor bias);
    }

    LayerOutcome prune(
            Block block,
            Linear linear,
            LayerStatistics statistics,
            double sparsity,
            Change change) {
        long start = System.nanoTime();
        try (PointerScope scope = new PointerScope()) {
            Tensor dense = block.weight(linear).contiguous();
            finite.require(linear, dense, statistics);
            Tensor denseBias = block.bias(linear);
            LayerSolution solution = solve(linear, dense, denseBias, statistics, sparsity);
            Tensor stored = walk.stored(solution.weight(), linear.weightName());
            Finite.requireStored(linear, stored);
            solution.weight().close(); // as large as the matrix, and another follows
            Tensor weight = stored.to(ScalarType.Float);
            Tensor bias = solution.bias() == null ? promised(linear) : solution.bias();
            if (bias != null) {
                bias = walk.stored(bias, linear.biasName()).to(ScalarType.Float);
                Finite.requireStored(linear, bias);
            }
            boolean biasChanged = bias != null && (denseBias == null || !denseBias.equal(bias));
            change.accept(linear, stored, weight, bias);
            sink.write(linear, weight, bias);
            double seconds = (System.nanoTime() - start) * 1e-9;
            return new LayerOutcome(
                    linear,
                    sparsity,
                    solution.mask().removed(),
                    zeros(dense),
                    zeros(weight),
                    biasChanged,
                    LayerError.relative(dense, weight, statistics),
                    LayerError.kind(statistics),
                    statistics.tokens(),
                    seconds);
        }
    }

    /** Where the repair throws a family's bias switches, zeros for the matrices that it leaves alone; or null. */
    private @Nullable Tensor promised(Linear linear) {
        boolean switched =
                walk.method().repair().changesBias() && linear.bias() == Linear.BiasSlot.SWITCHABLE;
        return switched
                ? torch.zeros(new long[] {linear.rows()}, Tensors.options(ScalarType.Float))
                : null;
    }

    private static long zeros(Tensor weight) {
        return weight.numel() - Tensors.countTrue(weight);
    }

    private LayerSolution solve(
            Linear linear,
            Tensor dense,
            @Nullable Tensor bias,
            LayerStatistics statistics,
            double sparsity) {
        try {
            return walk.method().solve(linear.kind(), dense, bias, statistics, sparsity);
        } catch (NumericFailure failure) {
            UserError refusal = Finite.refusal(linear, String.valueOf(failure.getMessage()));
            refusal.initCause(failure);
            throw refusal;
        }
    }
}
