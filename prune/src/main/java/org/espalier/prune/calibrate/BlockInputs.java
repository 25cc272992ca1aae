package org.espalier.prune.calibrate;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.espalier.network.Linear;

/** Which matrices of a block read the same input, and how they go together so that few statistics are held at a time. */
public final class BlockInputs {
    /** For each kind the kinds that stand right before it and read the same input. */
    private static final Map<String, Set<String>> SHARES =
            Map.of("k", Set.of("q"), "v", Set.of("k"), "up", Set.of("gate"));

    private BlockInputs() {}

    /**
     * The matrices by the input that they read. Where that cannot be told, a matrix counts as the only reader: then
     * more memory is planned than will be needed, never less.
     *
     * @param linears those of one block, in forward order
     */
    public static List<List<Linear>> of(List<Linear> linears) {
        List<List<Linear>> inputs = new ArrayList<>();
        for (Linear linear : linears) {
            Linear before = inputs.isEmpty() ? null : inputs.getLast().getLast();
            boolean shared =
                    before != null
                            && before.columns() == linear.columns()
                            && SHARES.getOrDefault(linear.kind(), Set.of()).contains(before.kind());
            if (!shared) {
                inputs.add(new ArrayList<>());
            }
            inputs.getLast().add(linear);
        }
        return inputs;
    }

    /**
     * Groups of matrices whose statistics are gathered together, in forward order.
     *
     * @param linears those of one block, in forward order
     * @param needs the statistics of each input
     * @param most bytes of statistics at a time; an input that takes more is a group by itself
     */
    public static List<List<Linear>> groups(
            List<Linear> linears, Collection<Statistic> needs, long most) {
        List<List<Linear>> groups = new ArrayList<>();
        long held = 0;
        for (List<Linear> readers : of(linears)) {
            long bytes = StatisticsCollector.bytes(needs, readers.getFirst().columns());
            if (groups.isEmpty() || held > most - bytes) {
                groups.add(new ArrayList<>());
                held = 0;
            }
            groups.getLast().addAll(readers);
            held += bytes;
        }
        return groups;
    }

    /**
     * Bytes of a Gram matrix in a scratch file that are in memory while a batch is added to it.
     *
     * @param columns in_features
     */
    public static long panelBytes(long columns) {
        return GramSum.panelBytes(columns);
    }

    /** Bytes of the Gram matrices of some matrices of a block in a scratch file. */
    public static long scratchBytes(List<Linear> linears) {
        return of(linears).stream()
                .mapToLong(
                        readers -> GramSum.fileBytes(readers.getFirst().columns(), GramSum.PANEL))
                .sum();
    }

    /** Bytes of the statistics of some matrices of a block. */
    public static long statisticsBytes(List<Linear> linears, Collection<Statistic> needs) {
        return of(linears).stream()
                .mapToLong(
                        readers -> StatisticsCollector.bytes(needs, readers.getFirst().columns()))
                .sum();
    }
}
