package org.espalier.prune;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.tensor.Tensors;
import org.espalier.network.Block;
import org.espalier.network.Linear;
import org.espalier.prune.allocate.NetworkScores;
import org.espalier.prune.calibrate.Calibration;
import org.espalier.prune.calibrate.HiddenStates;
import org.espalier.prune.calibrate.Statistic;
import org.espalier.prune.calibrate.StatisticsCollector;

/**
 * Scores the dense network for an allocation. The first reading takes the calibration tokens through the blocks; what
 * they said is kept, a few numbers per input feature, so that further readings only score the weights again.
 */
final class DenseScores implements NetworkScores, AutoCloseable {
    private final Walk walk;

    /** One for each block that the tokens have been through; all of them after the first reading. */
    private final List<StatisticsCollector> measured = new ArrayList<>();

    DenseScores(Walk walk) {
        this.walk = walk;
    }

    @Override
    public void layers(LayerReader reader) {
        int[] next = {0};
        read((block, collector) -> {
            for (Linear linear : walk.plan().layers(block.index())) {
                try (PointerScope scope = new PointerScope()) {
                    reader.read(next[0]++, score(block, linear, collector));
                }
            }
        });
    }

    @Override
    public void blocks(Consumer<List<Tensor>> reader) {
        read((block, collector) -> {
            List<Linear> layers = walk.plan().layers(block.index());
            if (layers.isEmpty()) {
                return; // a block that is left dense has no part in the budget
            }
            try (PointerScope scope = new PointerScope()) {
                List<Tensor> scores = new ArrayList<>();
                for (Linear linear : layers) {
                    scores.add(score(block, linear, collector));
                }
                reader.accept(scores);
            }
        });
    }

    /** Sees a dense block and what is known of its inputs. */
    @FunctionalInterface
    private interface BlockReader {
        void read(Block block, StatisticsCollector collector);
    }

    private void read(BlockReader reader) {
        if (measured.isEmpty()) {
            measure(reader);
            return;
        }
        for (int index = 0; index < measured.size(); index++) {
            walk.progress().step("scoring block again", index, measured.size());
            try (Block block = walk.decoder().block(index, walk.thrift().loading())) {
                reader.read(block, measured.get(index));
            }
        }
    }

    private void measure(BlockReader reader) {
        Set<Statistic> needs =
                walk.method().allocationReadsData()
                        ? walk.method().allocationScore().needs()
                        : Set.of();
        Calibration read = needs.isEmpty() ? Calibration.NONE : walk.calibration();
        int blocks = walk.decoder().blocks();
        try (HiddenStates states =
                HiddenStates.embed(read, walk.decoder()::embed, walk.thrift().scratch())) {
            for (int index = 0; index < blocks; index++) {
                walk.progress().step("scoring block", index, blocks);
                StatisticsCollector collector = new StatisticsCollector(needs);
                measured.add(collector);
                try (Block block = walk.decoder().block(index, walk.thrift().loading())) {
                    for (int batch = 0; batch < states.size(); batch++) {
                        try (PointerScope scope = new PointerScope()) {
                            states.set(batch, block.forward(states.get(batch), collector));
                        }
                    }
                    requireFinite(block, collector);
                    reader.read(block, collector);
                }
            }
        }
    }

    private void requireFinite(Block block, StatisticsCollector collector) {
        Finite finite = new Finite();
        for (Linear linear : walk.plan().layers(block.index())) {
            try (PointerScope scope = new PointerScope()) {
                finite.require(linear, block.weight(linear), walk.statistics(collector, linear));
            }
        }
    }

    private Tensor score(Block block, Linear linear, StatisticsCollector collector) {
        return Tensors.scoped(() -> {
            Tensor scores =
                    walk.method()
                            .allocationScore()
                            .score(
                                    block.weight(linear).contiguous(),
                                    walk.statistics(collector, linear))
                            .contiguous();
            Finite.requireScores(linear, scores);
            return scores;
        });
    }

    @Override
    public void close() {
        measured.forEach(StatisticsCollector::close);
        measured.clear();
    }
}
