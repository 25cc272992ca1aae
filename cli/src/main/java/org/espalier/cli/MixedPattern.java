package org.espalier.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.espalier.audit.receipt.LayerEntry;
import org.espalier.audit.receipt.Receipt;

/** Says which N each block has where they are mixed. */
final class MixedPattern {
    private MixedPattern() {}

    /** One line for people; empty where every matrix has the pattern of the recipe. */
    static Optional<String> line(Receipt receipt) {
        if (!(receipt.recipe().get("select") instanceof Map<?, ?> select)
                || !Boolean.TRUE.equals(select.get("mixed"))) {
            return Optional.empty();
        }
        return Optional.of(
                "mixed about "
                        + select.get("pattern")
                        + ", which no N:M kernel runs: "
                        + String.join("; ", runs(receipt.layers())));
    }

    /** Neighbouring blocks of the same patterns together. */
    private static List<String> runs(List<LayerEntry> layers) {
        TreeMap<Integer, TreeSet<String>> blocks = new TreeMap<>();
        for (LayerEntry layer : layers) {
            blocks.computeIfAbsent(layer.block(), _ -> new TreeSet<>()).add(layer.pattern());
        }
        List<String> runs = new ArrayList<>();
        int first = 0;
        int last = 0;
        TreeSet<String> patterns = new TreeSet<>();
        for (Map.Entry<Integer, TreeSet<String>> block : blocks.entrySet()) {
            if (!block.getValue().equals(patterns)) {
                if (!patterns.isEmpty()) {
                    runs.add(run(first, last, patterns));
                }
                first = block.getKey();
                patterns = block.getValue();
            }
            last = block.getKey();
        }
        runs.add(run(first, last, patterns));
        return runs;
    }

    private static String run(int first, int last, Set<String> patterns) {
        return (first == last ? "block " + first : "blocks " + first + " to " + last)
                + " "
                + String.join(" and ", patterns);
    }
}
