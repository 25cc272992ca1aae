package org.espalier.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
        List<Integer> numbers = List.copyOf(blocks.keySet());
        for (int first = 0; first < numbers.size(); ) {
            TreeSet<String> patterns = blocks.get(numbers.get(first));
            int last = first;
            while (last + 1 < numbers.size()
                    && blocks.get(numbers.get(last + 1)).equals(patterns)) {
                last++;
            }
            runs.add(
                    (first == last
                                    ? "block " + numbers.get(first)
                                    : "blocks " + numbers.get(first) + " to " + numbers.get(last))
                            + " "
                            + String.join(" and ", patterns));
            first = last + 1;
        }
        return runs;
    }
}
