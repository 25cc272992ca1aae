package org.espalier.network;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Tensors of a checkpoint that the network does not read, gathered under the modules that they belong to.
 *
 * @param module the outermost module without any tensor that is read, its block written as {@code *} where the same
 *     module is unread in several blocks
 * @param tensors how many there are
 */
public record UnreadTensors(String module, int tensors) {
    /** The unread ones among all names. */
    static List<UnreadTensors> of(Collection<String> all, Set<String> read) {
        Set<String> used = new HashSet<>();
        read.forEach(name -> used.addAll(modules(name)));
        Map<String, Integer> counts = new LinkedHashMap<>();
        for (String name : all) {
            if (!read.contains(name)) {
                String outermost =
                        modules(name).stream()
                                .filter(module -> !used.contains(module))
                                .findFirst()
                                .orElse(name);
                counts.merge(outermost.replaceAll("\\.\\d+\\.", ".*."), 1, Integer::sum);
            }
        }
        List<UnreadTensors> groups = new ArrayList<>();
        counts.forEach((module, count) -> groups.add(new UnreadTensors(module, count)));
        return groups;
    }

    /** For people. */
    @Override
    public String toString() {
        return tensors == 1 ? module : module + " (" + tensors + " tensors)";
    }

    /** The name and the modules that it lies in, outermost first. */
    private static List<String> modules(String name) {
        List<String> modules = new ArrayList<>();
        for (int dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
            modules.add(name.substring(0, dot));
        }
        modules.add(name);
        return modules;
    }
}
