package org.espalier.core.recipe;

import java.util.Map;

/**
 * One part of a recipe: a method of an axis with its parameters, {@code owl} or {@code {method: owl, lambda: 0.08}}.
 *
 * @param method name of the method, as its axis knows it
 * @param parameters the other keys of the map, unchecked until the axis reads them through {@link Parameters}
 * @param path path of the part in the recipe, for messages
 */
public record Part(String method, Map<String, Object> parameters, String path) {
    public Part {
        parameters = Map.copyOf(parameters);
    }

    /** A part without parameters. */
    public static Part of(String method, String path) {
        return new Part(method, Map.of(), path);
    }
}
