package org.espalier.core.number;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JsonPointer;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * Numbers that are none, in JSON. It has no word for infinity, and a text in the place of a number breaks whoever
 * calculates with it: the value is null there, and {@code notFinite} names its place and what it was.
 */
public final class FiniteJson {
    /** Key of the map from JSON pointers to {@code Infinity}, {@code -Infinity} or {@code NaN}. */
    public static final String KEY = "notFinite";

    private static final Map<String, Double> VALUES =
            Map.of(
                    "NaN",
                    Double.NaN,
                    "Infinity",
                    Double.POSITIVE_INFINITY,
                    "-Infinity",
                    Double.NEGATIVE_INFINITY);

    private FiniteJson() {}

    /** Replaces what is not finite by null; the result names their places and values, and is empty where there are none. */
    public static Map<String, String> take(JsonNode tree) {
        Map<String, String> found = new LinkedHashMap<>();
        take(tree, "", found);
        return found;
    }

    /**
     * Puts back what {@link #take} replaced, where {@link #KEY} of the object names it, and removes that key. Names of
     * places that hold something, or nothing at all, are passed over.
     */
    public static void restore(ObjectNode tree) {
        JsonNode places = tree.remove(KEY);
        if (places == null) {
            return;
        }
        for (Map.Entry<String, JsonNode> place : places.properties()) {
            Double value = VALUES.get(place.getValue().asString(""));
            if (value != null && place.getKey().startsWith("/")) {
                restore(tree, JsonPointer.compile(place.getKey()), value);
            }
        }
    }

    private static void restore(ObjectNode tree, JsonPointer pointer, double value) {
        if (!tree.at(pointer).isNull()) {
            return;
        }
        JsonNode number = JsonNodeFactory.instance.numberNode(value);
        if (tree.at(pointer.head()) instanceof ObjectNode object) {
            object.set(pointer.last().getMatchingProperty(), number);
        } else if (tree.at(pointer.head()) instanceof ArrayNode array) {
            array.set(pointer.last().getMatchingIndex(), number);
        }
    }

    private static void take(JsonNode node, String place, Map<String, String> found) {
        if (node instanceof ObjectNode object) {
            List<String> names = new ArrayList<>(object.propertyNames());
            for (String name : names) {
                String inner = place + "/" + name.replace("~", "~0").replace("/", "~1");
                JsonNode value = object.get(name);
                if (isNotFinite(value)) {
                    found.put(inner, Double.toString(value.doubleValue()));
                    object.putNull(name);
                } else {
                    take(value, inner, found);
                }
            }
        } else if (node instanceof ArrayNode array) {
            for (int i = 0; i < array.size(); i++) {
                JsonNode value = array.get(i);
                if (isNotFinite(value)) {
                    found.put(place + "/" + i, Double.toString(value.doubleValue()));
                    array.setNull(i);
                } else {
                    take(value, place + "/" + i, found);
                }
            }
        }
    }

    private static boolean isNotFinite(JsonNode value) {
        return value.isFloatingPointNumber() && !Double.isFinite(value.doubleValue());
    }
}
