package org.espalier.checkpoint.pickle;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.espalier.checkpoint.pickle.Values.Dict;
import org.espalier.checkpoint.pickle.Values.View;

/** Finds the dict of tensors in what a pickle holds. */
final class StateDict {
    private StateDict() {}

    /**
     * What was found.
     *
     * @param dict names and views, among others
     * @param leftOut what else the file holds, by its keys
     */
    record Found(Dict dict, List<String> leftOut) {}

    /**
     * The dict itself where it has tensors, or the only dict in it that has: trainers put the model beside the
     * optimizer and counters, under a key of their own choice.
     */
    static Found in(Object top) {
        if (!(top instanceof Dict dict)) {
            throw new PickleFault(
                    "holds no dict of tensors",
                    "",
                    "; save the model's state_dict with torch.save");
        }
        if (hasTensors(dict)) {
            return new Found(dict, others(dict, dict, ""));
        }
        List<String> keys = new ArrayList<>();
        List<Dict> dicts = new ArrayList<>();
        dict.entries()
                .forEach((key, value) -> {
                    if (value instanceof Dict inner && hasTensors(inner)) {
                        keys.add(name(key));
                        dicts.add(inner);
                    }
                });
        if (dicts.isEmpty()) {
            throw new PickleFault(
                    "holds no tensor under a name of its own",
                    "",
                    "; save the model's state_dict with torch.save");
        }
        if (dicts.size() > 1) {
            throw new PickleFault(
                    "holds " + dicts.size() + " dicts of tensors, ",
                    String.join(", ", keys.subList(0, Math.min(4, keys.size()))),
                    "; save the one that is the model alone");
        }
        List<String> leftOut = new ArrayList<>(others(dict, dicts.getFirst(), ""));
        leftOut.addAll(others(dicts.getFirst(), dicts.getFirst(), keys.getFirst() + "."));
        return new Found(dicts.getFirst(), leftOut);
    }

    private static boolean hasTensors(Dict dict) {
        return dict.entries().entrySet().stream().anyMatch(StateDict::isTensor);
    }

    private static boolean isTensor(Map.Entry<Object, Object> entry) {
        return entry.getKey() instanceof String && entry.getValue() instanceof View;
    }

    /** The keys of a dict beside its tensors and the dict that was found in it. */
    private static List<String> others(Dict dict, Dict found, String prefix) {
        return dict.entries().entrySet().stream()
                .filter(entry -> !isTensor(entry) && entry.getValue() != found)
                .map(entry -> prefix + name(entry.getKey()))
                .toList();
    }

    private static String name(Object key) {
        return key instanceof String || key instanceof Long ? key.toString() : "another key";
    }
}
