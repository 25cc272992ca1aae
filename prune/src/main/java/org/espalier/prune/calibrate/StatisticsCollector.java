package org.espalier.prune.calibrate;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
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
    /** A float32 sum of squares below it may have lost all of them. */
    private static final double TINY_SUM = 1e-30;

    private final Set<Statistic> needs;
    private final @Nullable Set<Linear> wanted;
    private final @Nullable ScratchFile scratch;
    private final Map<String, Accumulator> byLinear = new HashMap<>();
    private final List<Accumulator> accumulators = new ArrayList<>();

    /** Bytes of the scratch file that are taken. */
    private long stored;

    /**
     * @param needs what is to be gathered, and nothing else
     */
    public StatisticsCollector(Collection<Statistic> needs) {
        this.needs = Set.copyOf(needs);
        this.wanted = null;
        this.scratch = null;
    }

    /**
     * @param needs what is to be gathered, and nothing else
     * @param wanted the matrices whose inputs count; the others of the block are passed over
     * @param scratch file to make for the Gram matrices, or null to keep them in memory
     */
    public StatisticsCollector(
            Collection<Statistic> needs, Collection<Linear> wanted, @Nullable Path scratch) {
        this.needs = Set.copyOf(needs);
        this.wanted = Set.copyOf(wanted);
        this.scratch =
                scratch != null && this.needs.contains(Statistic.GRAM)
                        ? new ScratchFile(scratch)
                        : null;
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
                        case GRAM -> GramSum.bytes(columns);
                        case SUM_OF_SQUARES, SUM, VARIANCE_WITHIN -> Double.BYTES * columns;
                    };
        }
        return bytes;
    }

    @Override
    public void input(List<Linear> all, Tensor input, long[] lengths) {
        List<Linear> readers =
                wanted == null ? all : all.stream().filter(wanted::contains).toList();
        if (needs.isEmpty() || readers.isEmpty()) {
            return;
        }
        Accumulator accumulator = accumulator(readers.getFirst());
        for (Linear reader : readers) {
            byLinear.put(reader.name(), accumulator);
        }
        accumulator.add(input, lengths);
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

    /**
     * Input features that were used, but whose squares are too small for float32, so that the Gram matrix takes them for
     * dead. Ask when the input has been seen whole.
     *
     * @return the largest magnitude of each of them and 0 for all other features, float64 [in_features]; null if there are
     *     none. It is the collector's.
     */
    public @Nullable Tensor lost(Linear linear) {
        return accumulator(linear).lost();
    }

    @Override
    public void close() {
        accumulators.forEach(Accumulator::close);
        accumulators.clear();
        byLinear.clear();
        if (scratch != null) {
            scratch.close();
        }
    }

    private Accumulator accumulator(Linear linear) {
        return byLinear.computeIfAbsent(
                linear.name(),
                name -> {
                    Accumulator accumulator = new Accumulator();
                    accumulators.add(accumulator);
                    return accumulator;
                });
    }

    private final class Accumulator {
        private long sequences;
        private long tokens;
        private @Nullable Tensor sumOfSquares;
        private @Nullable Tensor sum;
        private @Nullable Tensor weightedVariance;
        private @Nullable GramSum gram;

        /** Largest magnitude of each input feature, gathered beside the Gram matrix. */
        private @Nullable Tensor largest;

        /** What the Gram matrix has lost, once it was looked for: that reads a stored one whole. */
        private @Nullable Tensor lost;

        private boolean soughtLost;

        private @Nullable LayerStatistics told;

        /** Makes the accumulators that are still missing, all zero. */
        void prepare(long columns) {
            if (needs.contains(Statistic.GRAM) && gram == null) {
                gram = new GramSum(columns, GramSum.PANEL, scratch, stored);
                largest = zeros(columns);
                stored += GramSum.fileBytes(columns, GramSum.PANEL);
            }
            if (needs.contains(Statistic.SUM_OF_SQUARES) && sumOfSquares == null) {
                sumOfSquares = zeros(columns);
            }
            if (needs.contains(Statistic.SUM) && sum == null) {
                sum = zeros(columns);
            }
            if (needs.contains(Statistic.VARIANCE_WITHIN) && weightedVariance == null) {
                weightedVariance = zeros(columns);
            }
        }

        /**
         * Adds a batch.
         *
         * @param input float32 [sequences, tokens, in_features], or [1, tokens, in_features] where sequences are ragged
         * @param lengths tokens of each sequence
         */
        void add(Tensor input, long[] lengths) {
            if (told != null) {
                throw new IllegalStateException("statistics were asked for before the last input");
            }
            long columns = input.size(2);
            prepare(columns);
            // One that an expert saw nothing of does not count, or its means would depend on the
            // company that a sequence has in its batch.
            sequences += Arrays.stream(lengths).filter(length -> length > 0).count();
            tokens += input.size(0) * input.size(1);
            try (PointerScope scope = new PointerScope()) {
                Tensor flat = input.reshape(-1, columns);
                if (gram != null && largest != null) {
                    gram.add(flat);
                    largest.copy_(torch.maximum(largest, largest(flat)));
                }
                if (sumOfSquares != null) {
                    sumOfSquares.add_(squares(flat));
                }
                if (sum != null) {
                    sum.add_(flat.sum(0).to(ScalarType.Double));
                }
                if (weightedVariance != null) {
                    if (lengths.length == input.size(0)) {
                        weightedVariance.add_(deviations(input));
                    } else {
                        addDeviations(weightedVariance, flat, lengths);
                    }
                }
            }
        }

        /** Adds the {@link #deviations} of sequences of different lengths, of which some may be empty. */
        private static void addDeviations(Tensor sums, Tensor flat, long[] lengths) {
            long from = 0;
            for (long length : lengths) {
                if (length > 0) {
                    sums.add_(deviations(flat.narrow(0, from, length).unsqueeze(0)));
                }
                from += length;
            }
        }

        /** Squared deviations from the mean of their sequence, summed over all tokens, float64 [in_features]. */
        private static Tensor deviations(Tensor sequences) {
            Tensor means = sequences.mean(new long[] {1}, true, new ScalarTypeOptional());
            return sequences.sub(means).square().sum(0, 1).to(ScalarType.Double);
        }

        /** Largest magnitude of each column, float64 [in_features], without a copy of the input. */
        private static Tensor largest(Tensor input) {
            return torch.linalg_vector_norm(
                            input,
                            new Scalar(Double.POSITIVE_INFINITY),
                            new long[] {0},
                            false,
                            new ScalarTypeOptional())
                    .to(ScalarType.Double);
        }

        /** Sum of squares of each column, float64 [in_features]; squared in float32 where that is wide enough. */
        private static Tensor squares(Tensor input) {
            Tensor sums = input.square().sum(0).to(ScalarType.Double);
            Tensor doubtful =
                    sums.lt(new Scalar(TINY_SUM)).logical_or(torch.isfinite(sums).logical_not());
            if (doubtful.any().item_bool()) {
                Tensor columns = doubtful.nonzero().squeeze(1);
                Tensor chosen = input.index_select(1, columns);
                if (chosen.any().item_bool()) {
                    sums.index_copy_(0, columns, chosen.to(ScalarType.Double).square().sum(0));
                }
            }
            return sums;
        }

        @Nullable Tensor lost() {
            if (!soughtLost && gram != null && largest != null) {
                try (PointerScope scope = new PointerScope()) {
                    Tensor tiny = gram.diagonal().lt(new Scalar((double) Float.MIN_NORMAL));
                    Tensor magnitudes = largest.mul(tiny);
                    lost = magnitudes.any().item_bool() ? Tensors.own(magnitudes) : null;
                }
                soughtLost = true;
            }
            return lost;
        }

        LayerStatistics statistics() {
            if (told == null) {
                if (weightedVariance != null) {
                    weightedVariance.div_(new Scalar((double) Math.max(1, tokens)));
                }
                told =
                        new LayerStatistics(
                                sequences,
                                tokens,
                                sumOfSquares,
                                sum,
                                weightedVariance,
                                gram == null || scratch != null ? null : gram.inMemory(),
                                scratch == null ? null : gram);
            }
            return told;
        }

        void close() {
            for (Tensor tensor :
                    new Tensor[] {sumOfSquares, sum, weightedVariance, largest, lost}) {
                if (tensor != null) {
                    tensor.close();
                }
            }
            if (gram != null) {
                gram.close();
            }
        }
    }

    private static Tensor zeros(long columns) {
        try (PointerScope scope = new PointerScope()) {
            long[] shape = {columns};
            return Tensors.own(torch.zeros(shape, Tensors.options(ScalarType.Double)));
        }
    }
}
