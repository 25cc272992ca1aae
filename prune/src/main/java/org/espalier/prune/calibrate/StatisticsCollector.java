package org.espalier.prune.calibrate;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.tensor.Tensors;
import org.espalier.network.InputObserver;
import org.espalier.network.Linear;
import org.jspecify.annotations.Nullable;

/**
 * Gathers the declared statistics of one block's inputs, streaming over batches. Matrices that read the same input share
 * one accumulator, so q, k and v cost one pass. Sums are float64 vectors; the Gram matrix is float32, as in the official
 * code. Owns its tensors: statistics handed out are valid until {@link #close}.
 */
public final class StatisticsCollector implements InputObserver, AutoCloseable {
    private final Set<Statistic> needs;
    private final @Nullable Set<Linear> wanted;
    private final Map<String, Accumulator> byLinear = new HashMap<>();
    private final List<Accumulator> accumulators = new ArrayList<>();

    /**
     * @param needs what is to be gathered, and nothing else
     */
    public StatisticsCollector(Collection<Statistic> needs) {
        this.needs = Set.copyOf(needs);
        this.wanted = null;
    }

    /**
     * @param needs what is to be gathered, and nothing else
     * @param wanted the matrices whose inputs count; the others of the block are passed over
     */
    public StatisticsCollector(Collection<Statistic> needs, Collection<Linear> wanted) {
        this.needs = Set.copyOf(needs);
        this.wanted = Set.copyOf(wanted);
    }

    /**
     * Bytes that the statistics of one input take.
     *
     * @param columns in_features
     */
    public static long bytes(Collection<Statistic> needs, long columns) {
        long bytes = 0;
        for (Statistic statistic : Set.copyOf(needs)) {
            bytes +=
                    switch (statistic) {
                        case GRAM -> Float.BYTES * columns * columns;
                        case SUM_OF_SQUARES, SUM, VARIANCE_WITHIN -> Double.BYTES * columns;
                    };
        }
        return bytes;
    }

    @Override
    public void input(List<Linear> all, Tensor input) {
        List<Linear> readers =
                wanted == null ? all : all.stream().filter(wanted::contains).toList();
        if (needs.isEmpty() || readers.isEmpty()) {
            return;
        }
        Accumulator accumulator = accumulator(readers.getFirst());
        for (Linear reader : readers) {
            byLinear.put(reader.name(), accumulator);
        }
        accumulator.add(input);
    }

    /**
     * What is known about the input of a matrix: {@link LayerStatistics#NONE}-like with zero tokens if it saw none, and
     * the same object for all matrices that share the input. Ask when the input has been seen whole.
     */
    public LayerStatistics of(Linear linear) {
        Accumulator accumulator = accumulator(linear);
        accumulator.prepare(linear.columns());
        return accumulator.statistics();
    }

    @Override
    public void close() {
        accumulators.forEach(Accumulator::close);
        accumulators.clear();
        byLinear.clear();
    }

    private Accumulator accumulator(Linear linear) {
        return byLinear.computeIfAbsent(
                linear.name(),
                name -> {
                    Accumulator accumulator = new Accumulator(needs);
                    accumulators.add(accumulator);
                    return accumulator;
                });
    }

    private static final class Accumulator {
        private final Set<Statistic> needs;
        private long sequences;
        private long tokens;
        private @Nullable Tensor sumOfSquares;
        private @Nullable Tensor sum;
        private @Nullable Tensor weightedVariance;
        private @Nullable Tensor gram;
        private @Nullable LayerStatistics told;

        Accumulator(Set<Statistic> needs) {
            this.needs = needs;
        }

        /** Makes the accumulators that are still missing, all zero. */
        void prepare(long columns) {
            boolean withGram = needs.contains(Statistic.GRAM);
            if (withGram && gram == null) {
                gram = zeros(ScalarType.Float, columns, columns);
            }
            if (needs.contains(Statistic.SUM_OF_SQUARES) && sumOfSquares == null) {
                sumOfSquares = zeros(ScalarType.Double, columns);
            }
            if (needs.contains(Statistic.SUM) && sum == null) {
                sum = zeros(ScalarType.Double, columns);
            }
            if (needs.contains(Statistic.VARIANCE_WITHIN) && weightedVariance == null) {
                weightedVariance = zeros(ScalarType.Double, columns);
            }
        }

        /** Adds a batch, float32 [sequences, tokens, in_features]. */
        void add(Tensor input) {
            if (told != null) {
                throw new IllegalStateException("statistics were asked for before the last input");
            }
            long columns = input.size(2);
            prepare(columns);
            sequences += input.size(0);
            tokens += input.size(0) * input.size(1);
            try (PointerScope scope = new PointerScope()) {
                Tensor flat = input.reshape(-1, columns);
                if (gram != null) {
                    gram.addmm_(flat.t(), flat);
                }
                if (sumOfSquares != null) {
                    sumOfSquares.add_(flat.square().sum(0).to(ScalarType.Double));
                }
                if (sum != null) {
                    sum.add_(flat.sum(0).to(ScalarType.Double));
                }
                if (weightedVariance != null) {
                    Tensor centred =
                            input.sub(input.mean(new long[] {1}, true, new ScalarTypeOptional()));
                    weightedVariance.add_(centred.square().sum(0, 1).to(ScalarType.Double));
                }
            }
        }

        LayerStatistics statistics() {
            if (told == null) {
                if (weightedVariance != null) {
                    weightedVariance.div_(new Scalar((double) Math.max(1, tokens)));
                }
                told =
                        new LayerStatistics(
                                sequences, tokens, sumOfSquares, sum, weightedVariance, gram);
            }
            return told;
        }

        void close() {
            for (Tensor tensor : new Tensor[] {sumOfSquares, sum, weightedVariance, gram}) {
                if (tensor != null) {
                    tensor.close();
                }
            }
        }

        private static Tensor zeros(ScalarType type, long... shape) {
            try (PointerScope scope = new PointerScope()) {
                return Tensors.own(torch.zeros(shape, Tensors.options(type)));
            }
        }
    }
}
