package org.espalier.checkpoint.journal;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** What two fingerprints of a run's inputs differ in. */
public final class Differences {
    private Differences() {}

    /** One phrase for each value that differs, with its path; empty when the two are the same. */
    public static List<String> between(ObjectNode before, ObjectNode now) {
        List<String> differences = new ArrayList<>();
        compare("", before, now, differences);
        return differences;
    }

    private static void compare(
            String path, ObjectNode before, ObjectNode now, List<String> differences) {
        Set<String> keys = new TreeSet<>(before.propertyNames());
        keys.addAll(now.propertyNames());
        for (String key : keys) {
            JsonNode old = before.path(key);
            JsonNode fresh = now.path(key);
            if (old instanceof ObjectNode left && fresh instanceof ObjectNode right) {
                compare(path + key + ".", left, right, differences);
            } else if (!text(old).equals(text(fresh))) {
                // As text, because a number read from a file may be of another width than one made
                // here.
                differences.add(path + key + " was " + text(old) + " and is now " + text(fresh));
            }
        }
    }

    private static String text(JsonNode node) {
        return node.isMissingNode() ? "absent" : node.toString();
    }
}
