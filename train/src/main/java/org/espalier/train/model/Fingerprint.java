package org.espalier.train.model;

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
}
