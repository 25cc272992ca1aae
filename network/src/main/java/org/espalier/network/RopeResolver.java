package org.espalier.network;

import org.espalier.network.family.Family;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Reads both dialects of rope: {@code rope_parameters} of transformers 5, flat or nested per layer type, and
 * {@code rope_theta} with {@code rope_scaling} (its type under {@code rope_type} or, older, {@code type}).
 */
final class RopeResolver {
    private final ObjectNode config;
    private final SettingReader reader;

    RopeResolver(ObjectNode config, SettingReader reader) {
        this.config = config;
        this.reader = reader;
    }

    Rope resolve(Family.Settings settings, long maxPositions) {
        Family.Setting thetaSetting = settings.ropeTheta();
        if (thetaSetting == null) {
            throw new IllegalStateException("a rotary family names its rope_theta");
        }
        JsonNode parameters = present("rope_parameters");
        if (parameters != null) {
            return newDialect(parameters, thetaSetting, maxPositions);
        }
        double theta = reader.positive(thetaSetting);
        return new Rope(theta, scaling("rope_scaling", present("rope_scaling"), maxPositions));
    }

    private Rope newDialect(JsonNode parameters, Family.Setting theta, long maxPositions) {
        JsonNode flat = parameters;
        JsonNode full = parameters.get("full_attention");
        if (full != null) {
            JsonNode sliding = parameters.get("sliding_attention");
            if (sliding != null && !sliding.equals(full)) {
                reader.problem("rope_parameters that differ between layer types are not supported");
            }
            flat = full;
        }
        JsonNode given = flat.get("rope_theta");
        double base = given == null ? reader.positive(theta) : reader.positive("rope_theta", given);
        return new Rope(base, scaling("rope_parameters", flat, maxPositions));
    }

    private @Nullable JsonNode present(String key) {
        JsonNode node = config.get(key);
        if (node == null || node.isNull()) {
            return null;
        }
        if (!node.isObject()) {
            reader.problem(key + " must be a map but is " + node);
            return null;
        }
        return node;
    }

    private Rope.Scaling scaling(String where, @Nullable JsonNode map, long maxPositions) {
        if (map == null) {
            return new Rope.Unscaled();
        }
        JsonNode partial = map.get("partial_rotary_factor");
        if (partial != null && !partial.isNull() && partial.asDouble(0) != 1) {
            reader.problem(where + ".partial_rotary_factor must be 1 but is " + partial);
        }
        JsonNode type = map.has("rope_type") ? map.get("rope_type") : map.get("type");
        String name = type == null || type.isNull() ? "default" : type.asString("");
        return switch (name) {
            case "default" -> new Rope.Unscaled();
            case "linear" -> new Rope.Linear(number(where, map, "factor"));
            case "llama3" -> llama3(where, map, maxPositions);
            default -> {
                reader.problem(
                        where
                                + ": rope type '"
                                + name
                                + "' is not supported; known are default, linear, llama3");
                yield new Rope.Unscaled();
            }
        };
    }

    private Rope.Scaling llama3(String where, JsonNode map, long maxPositions) {
        double low = number(where, map, "low_freq_factor");
        double high = number(where, map, "high_freq_factor");
        if (high <= low) {
            reader.problem(where + ".high_freq_factor must be above low_freq_factor " + low);
        }
        String original = "original_max_position_embeddings";
        double positions = map.has(original) ? number(where, map, original) : maxPositions;
        return new Rope.Llama3(number(where, map, "factor"), low, high, positions);
    }

    private double number(String where, JsonNode map, String key) {
        return reader.positive(where + "." + key, map.get(key));
    }
}
