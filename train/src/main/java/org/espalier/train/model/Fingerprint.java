package org.espalier.train.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** The settings that decide the outcome, as JSON, to be stored with a checkpoint and compared on resuming. */
final class Fingerprint {
    private Fingerprint() {}

    static ObjectNode of(TrainingSettings settings) {
        JsonMapper json = JsonMapper.shared();
        ObjectNode node = json.createObjectNode();
        node.put("name", settings.name());
        node.set("model", json.valueToTree(settings.model()));
        node.set("text", settings.text().describe());
        node.put("sequencesPerStep", settings.sequencesPerStep());
        node.put("sequencesPerPass", settings.sequencesPerPass());
        switch (settings.length()) {
            case TrainingLength.Steps steps -> node.put("steps", steps.count());
            case TrainingLength.Minutes minutes -> node.put("minutes", minutes.count());
        }
        node.put("peakLearningRate", settings.peakLearningRate());
        node.put("warmUpSteps", settings.warmUpSteps());
        node.put("weightDecay", settings.weightDecay());
        node.put("gradientNorm", settings.gradientNorm());
        node.put("heldOutEvery", settings.heldOutEvery());
        node.put("heldOutSequences", settings.heldOutSequences());
        node.put("seed", settings.seed());
        return node;
    }

    /** One line for each value that differs, with its path; empty when the two are the same. */
    static List<String> differences(ObjectNode before, ObjectNode now) {
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
