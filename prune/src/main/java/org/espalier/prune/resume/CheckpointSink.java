package org.espalier.prune.resume;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.checkpoint.CheckpointWriter;
import org.espalier.network.Block;
import org.espalier.network.Decoder;
import org.espalier.network.Linear;
import org.espalier.prune.BlockOutcome;
import org.espalier.prune.EarlierWork;
import org.espalier.prune.LayerOutcome;
import org.espalier.prune.LayerSink;
import org.espalier.prune.PrunePlan;
import org.espalier.prune.calibrate.SavedStates;
import org.jspecify.annotations.Nullable;

/**
 * Writes pruned layers into a checkpoint, in the orientation and dtype that each tensor has there, and notes each block
 * in the journal once all of it is on the disk. Where the repair adds biases, it declares them and throws the switches of
 * config.json that make stock runtimes read them.
 */
public final class CheckpointSink implements LayerSink {
    private final CheckpointWriter writer;
    private final PruneJournal journal;
    private final PrunePlan plan;

    /** The tensors of the present block with their checksums. */
    private final Map<String, String> tensors = new TreeMap<>();

    /**
     * @param writer a writer of which nothing has been written yet
     * @param journal the journal that was opened with this writer
     * @param plan what is about to be done
     * @param decoder the model that the plan was made for
     */
    public CheckpointSink(
            CheckpointWriter writer, PruneJournal journal, PrunePlan plan, Decoder decoder) {
        this.writer = writer;
        this.journal = journal;
        this.plan = plan;
        for (Linear linear : plan.newBiases()) {
            writer.declare(
                    linear.biasName(), writer.targetDtype(linear.weightName()), linear.rows());
        }
        writer.editConfig(config -> plan.configAfter(config, decoder.family()));
    }

    /** The dtype that a tensor is stored in, for {@link org.espalier.prune.Pruner}. */
    public ScalarType storage(String name) {
        return writer.targetDtype(name)
                .scalarType()
                .orElseThrow(
                        () -> new IllegalStateException(name + " has a dtype that libtorch lacks"));
    }

    /**
     * What an interrupted run has finished, up to the first block that is not on the disk as it was noted: that one and
     * all that follow are forgotten.
     */
    public EarlierWork takeUp() {
        int whole = 0;
        for (FinishedBlock block : journal.blocks()) {
            if (block.block().block() != whole || !isWhole(block)) {
                break;
            }
            whole++;
        }
        journal.truncate(whole);
        if (whole > 0) {
            writer.keep();
        }
        PruneJournal.Allocated allocated = journal.allocated();
        if (allocated == null) {
            return EarlierWork.NONE;
        }
        Map<String, Linear> linears =
                plan.layers().stream().collect(Collectors.toMap(Linear::name, linear -> linear));
        List<LayerOutcome> layers = new ArrayList<>();
        List<BlockOutcome> blocks = new ArrayList<>();
        Map<Integer, SavedStates> states = new TreeMap<>();
        for (FinishedBlock block : journal.blocks()) {
            blocks.add(block.block());
            if (block.states() != null) {
                states.put(block.block().block(), block.states());
            }
            for (FinishedBlock.Layer layer : block.layers()) {
                Linear linear = linears.get(layer.name());
                if (linear == null) {
                    throw new IllegalStateException("the journal names " + layer.name());
                }
                layers.add(layer.outcome(linear));
            }
        }
        return new EarlierWork(
                allocated.sparsities(), allocated.seconds(), layers, blocks, states, this::restore);
    }

    private boolean isWhole(FinishedBlock block) {
        return block.tensors().entrySet().stream()
                .allMatch(tensor -> writer.restore(tensor.getKey(), tensor.getValue()));
    }

    private void restore(Block block) {
        Map<String, String> stored = journal.blocks().get(block.index()).tensors();
        for (Linear linear : plan.layers(block.index())) {
            try (PointerScope scope = new PointerScope()) {
                Tensor weight = writer.stored(linear.weightName());
                block.replace(
                        linear,
                        linear.transposed() ? weight.t() : weight,
                        stored.containsKey(linear.biasName())
                                ? writer.stored(linear.biasName())
                                : null);
            }
        }
    }

    @Override
    public void write(Linear linear, Tensor weight, @Nullable Tensor bias) {
        try (PointerScope scope = new PointerScope()) {
            store(linear.weightName(), linear.transposed() ? weight.t().contiguous() : weight);
            if (bias != null) {
                store(linear.biasName(), bias);
            }
        }
    }

    private void store(String name, Tensor tensor) {
        writer.write(name, tensor);
        synchronized (tensors) {
            tensors.put(name, writer.checksum(name));
        }
    }

    @Override
    public void allocated(double[] sparsities, double seconds) {
        journal.allocated(Arrays.stream(sparsities).boxed().toList(), seconds);
    }

    @Override
    public void finished(
            BlockOutcome block, List<LayerOutcome> layers, @Nullable SavedStates states) {
        writer.force();
        synchronized (tensors) {
            journal.finished(block, layers, tensors, states);
            tensors.clear();
        }
        writer.keep();
    }
}
