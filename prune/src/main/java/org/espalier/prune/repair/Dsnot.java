package org.espalier.prune.repair;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.Set;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.Rounding;
import org.espalier.core.pattern.Group;
import org.espalier.core.pattern.Pattern;
import org.espalier.core.recipe.Parameters;
import org.espalier.core.tensor.Parallel;
import org.espalier.core.tensor.Tensors;
import org.espalier.prune.calibrate.LayerStatistics;
import org.espalier.prune.calibrate.Statistic;
import org.espalier.prune.layer.LayerCost;
import org.espalier.prune.layer.LayerProblem;
import org.espalier.prune.layer.LayerSolution;
import org.espalier.prune.select.Mask;

/**
 * Dynamic sparse no training: swaps kept and removed weights of a row, one pair per cycle, until the expected error of
 * its output is small. Surviving weights keep their values and rows their counts.
 *
 * <p>Zhang et al., Dynamic Sparse No Training: Training-Free Fine-tuning for Sparse LLMs, ICLR 2024, arXiv 2310.08915,
 * equations 3 to 5 and algorithm 1; card {@code dsnot}. Where the official code lets a used-up list run into the
 * entries of the other kind, or divides by the variance of a dead feature, this does not; otherwise it follows the code.
 * The N:M form removes by the Wanda score, which is the official one when Wanda chose the mask.
 *
 * @param cycles swaps per row at most; the official 50 are most of a row of 64 and next to nothing of one of 4096, so a
 *     fraction of the row can be given instead
 * @param threshold a row whose expected error is at most this is left alone; an absolute figure, of a sum over the
 *     tokens of a sequence, which the official code sets for sequences of 2048
 * @param power exponent of the input variance by which the growth order divides, at least 0
 * @param sameSign whether a row stops before its error changes sign; always so for N:M
 * @param layers which layers are touched
 */
public record Dsnot(Cycles cycles, double threshold, double power, boolean sameSign, Layers layers)
        implements Repair {
    /** How many swaps a row may make at most. */
    public sealed interface Cycles {
        /** At most so many in a row of that many input features. */
        int in(int columns);

        /**
         * The same number in every row, as in the official code.
         *
         * @param number at least 0
         */
        record Count(int number) implements Cycles {
            public Count {
                if (number < 0) {
                    throw new IllegalArgumentException(
                            "cycles must be at least 0 but is " + number);
                }
            }

            @Override
            public int in(int columns) {
                return number;
            }
        }

        /**
         * A share of the input features, so that layers of every width are refined alike.
         *
         * @param share in [0, 1]
         */
        record Fraction(double share) implements Cycles {
            public Fraction {
                if (!(share >= 0 && share <= 1)) {
                    throw new IllegalArgumentException(
                            "the share of cycles must be in [0, 1] but is " + share);
                }
            }

            @Override
            public int in(int columns) {
                return (int) Rounding.removed(columns, share);
            }
        }
    }

    /** Which layers are touched. */
    public enum Layers {
        /** Only those of the attention, as the official code has it by default. */
        ATTENTION,
        ALL
    }

    private static final Set<String> ATTENTION =
            Set.of("q", "k", "v", "qkv", "q_a", "q_b", "kv_a", "kv_b", "o");

    /** The defaults of the official code. */
    public static final Dsnot STANDARD =
            new Dsnot(new Cycles.Count(50), 0.1, 1, false, Layers.ATTENTION);

    public Dsnot {
        if (!(threshold >= 0)) {
            throw new IllegalArgumentException("threshold must be at least 0 but is " + threshold);
        }
        if (!(power >= 0)) {
            throw new IllegalArgumentException("power must be at least 0 but is " + power);
        }
    }

    /**
     * Reads {@code cycles} (50) or {@code cycles-fraction} of the input features in its place, {@code threshold} (0.1),
     * {@code power} (1), {@code same-sign} (false) and {@code layers} ({@code attention} or {@code all}).
     */
    public static Dsnot from(Parameters parameters) {
        return new Dsnot(
                cycles(parameters),
                parameters.number("threshold", STANDARD.threshold, 0, Double.POSITIVE_INFINITY),
                parameters.number("power", STANDARD.power, 0, 4),
                parameters.flag("same-sign", STANDARD.sameSign),
                parameters.choice("layers", "attention", "attention", "all").equals("all")
                        ? Layers.ALL
                        : Layers.ATTENTION);
    }

    private static Cycles cycles(Parameters parameters) {
        parameters.requireOneOf("cycles", "cycles-fraction");
        Cycles count = new Cycles.Count(parameters.integer("cycles", 50, 0, 1_000_000));
        Cycles fraction = new Cycles.Fraction(parameters.number("cycles-fraction", 0, 0, 1));
        return parameters.has("cycles-fraction") ? fraction : count;
    }

    @Override
    public Set<Statistic> needs() {
        return Set.of(Statistic.SUM, Statistic.SUM_OF_SQUARES, Statistic.VARIANCE_WITHIN);
    }

    @Override
    public boolean changesBias() {
        return false;
    }

    @Override
    public Optional<String> refusal(Pattern pattern) {
        return switch (pattern) {
            case Pattern.NofM _ -> Optional.empty();
            case Pattern.Tiles _ -> Optional.of("dsnot swaps single weights, not tiles");
            case Pattern.Unstructured(Group group) ->
                    group instanceof Group.ColumnBlock
                            ? Optional.of(
                                    "dsnot swaps weights across a whole row, which changes the counts of column"
                                            + " blocks")
                            : Optional.empty();
        };
    }

    @Override
    public boolean appliesTo(String kind) {
        return layers == Layers.ALL || ATTENTION.contains(kind);
    }

    /** A copy of the solution and of its mask. */
    @Override
    public LayerCost cost(long rows, long columns) {
        return new LayerCost((Float.BYTES + 1) * rows * columns, 0);
    }

    /**
     * {@inheritDoc}
     *
     * <p>A weight that grows back gets its dense value. Where the solver has already changed the survivors, the
     * expected error is that of its own weights.
     */
    @Override
    public LayerSolution repair(LayerProblem problem, LayerSolution solution) {
        refusal(problem.pattern())
                .ifPresent(reason -> {
                    throw new IllegalArgumentException(reason);
                });
        if (problem.statistics().tokens() == 0) {
            return solution;
        }
        Tensor weight = Tensors.scoped(() -> solution.weight().clone());
        Tensor keep = Tensors.scoped(() -> solution.mask().keep().clone());
        try (PointerScope scope = new PointerScope()) {
            DsnotRow.Inputs inputs = inputs(problem.statistics());
            int groupWidth = problem.pattern() instanceof Pattern.NofM(int _, int m) ? m : 0;
            MemorySegment dense = Tensors.segment(problem.weight().contiguous());
            MemorySegment pruned = Tensors.segment(weight);
            MemorySegment kept = Tensors.segment(keep);
            int columns = inputs.sum.length;
            Parallel.rows(
                    weight.size(0),
                    32L * columns,
                    (from, to) -> {
                        DsnotRow row = new DsnotRow(this, inputs, groupWidth);
                        for (long index = from; index < to; index++) {
                            long weights = index * columns * Float.BYTES;
                            row.refine(
                                    dense.asSlice(weights, (long) columns * Float.BYTES),
                                    pruned.asSlice(weights, (long) columns * Float.BYTES),
                                    kept.asSlice(index * columns, columns));
                        }
                    });
        }
        return new LayerSolution(weight, solution.bias(), new Mask(keep));
    }

    private static DsnotRow.Inputs inputs(LayerStatistics statistics) {
        return new DsnotRow.Inputs(
                Tensors.toDoubles(statistics.meanOfSequenceSums()),
                Tensors.toDoubles(statistics.columnNorm()),
                Tensors.toDoubles(statistics.variance()));
    }
}
