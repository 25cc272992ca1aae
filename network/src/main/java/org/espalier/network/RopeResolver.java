package org.espalier.network;

import java.util.ArrayList;
import java.util.List;
import org.espalier.network.family.Setting;
import org.espalier.network.family.Settings;
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
    private final Settings settings;
    private final long maxPositions;
    private final Setting theta;

    /** The map of the new dialect, or null where the config speaks the old one. */
    private final @Nullable JsonNode parameters;

    /** That of blocks with a window, where it is another one. */
    private final @Nullable JsonNode sliding;

    RopeResolver(ObjectNode config, SettingReader reader, Settings settings, long maxPositions) {
        this.config = config;
        this.reader = reader;
        this.settings = settings;
        this.maxPositions = maxPositions;
        Setting named = settings.ropeTheta();
        if (named == null) {
            throw new IllegalStateException("a rotary family names its rope_theta");
        }
        theta = named;
        JsonNode map = present("rope_parameters");
        JsonNode full = map == null ? null : map.get("full_attention");
        JsonNode local = map == null || full == null ? null : map.get("sliding_attention");
        if (local != null && settings.localRopeTheta() == null && !local.equals(full)) {
            reader.problem("rope_parameters that differ between layer types are not supported");
        }
        parameters = full == null ? map : full;
        sliding = settings.localRopeTheta() == null ? null : local;
    }

    /** The rotated part of a head, above 0 and at most 1. */
    double rotatedPart() {
        JsonNode inMap = parameters == null ? null : parameters.get("partial_rotary_factor");
        if (inMap != null && inMap.isNull()) {
            inMap = null;
        }
        double part = 1;
        if (settings.partialRotary() == null) {
            if (inMap != null && inMap.asDouble(0) != 1) {
                reader.problem("rope_parameters.partial_rotary_factor must be 1 but is " + inMap);
            }
        } else {
            part =
                    inMap != null
                            ? reader.positive("rope_parameters.partial_rotary_factor", inMap)
                            : reader.positive(settings.partialRotary());
        }
        if (part > 1) {
            reader.problem("the rotated part of a head must be at most 1 but is " + part);
            return 1;
        }
        return part;
    }

    /** The rotation of most blocks, over that number of channels. */
    Rope resolve(long width) {
        if (parameters == null) {
            JsonNode map = present("rope_scaling");
            double base = reader.positive(theta);
            return new Rope(base, scaling("rope_scaling", map, width, base));
        }
        double base = base(parameters, theta);
        return new Rope(base, scaling("rope_parameters", parameters, width, base));
    }

    /**
     * What the scores of latent attention are multiplied with beside the root of the width: with {@code mscale_all_dim}
     * the square of YaRN's growth, as DeepSeek's own code has it for both of its families. (The class of transformers for
     * deepseek_v2 leaves it out.)
     */
    double latentGrowth() {
        JsonNode map = parameters == null ? present("rope_scaling") : parameters;
        double weight = map == null ? 0 : orZero("rope scaling", map, "mscale_all_dim");
        if (map == null || weight == 0) {
            return 1;
        }
        double growth = Rope.Yarn.growth(number("rope scaling", map, "factor"), weight);
        return growth * growth;
    }

    /**
     * The rotation of blocks with a window. Where it is another one, it is stretched only if its own map says so: that of
     * the old dialect is for the other blocks.
     */
    Rope local(Rope rope, long width) {
        Setting local = settings.localRopeTheta();
        if (local == null) {
            return rope;
        }
        if (sliding == null) {
            return new Rope(reader.positive(local), new Rope.Unscaled());
        }
        double base = base(sliding, local);
        return new Rope(base, scaling("rope_parameters.sliding_attention", sliding, width, base));
    }

    private double base(JsonNode map, Setting otherwise) {
        JsonNode given = map.get("rope_theta");
        return given == null || given.isNull()
                ? reader.positive(otherwise)
                : reader.positive("rope_theta", given);
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

    private Rope.Scaling scaling(String where, @Nullable JsonNode map, long width, double base) {
        if (map == null) {
            return new Rope.Unscaled();
        }
        JsonNode type = map.get(present(map, "rope_type") ? "rope_type" : "type");
        String name = type == null || type.isNull() ? "default" : type.asString("");
        // The oldest Phi-3 files called LongRoPE so.
        if (name.equals("yarn") && map.has("short_factor")) {
            name = "longrope";
        }
        return switch (name) {
            case "default" -> new Rope.Unscaled();
            case "linear" -> new Rope.Linear(number(where, map, "factor"));
            case "llama3" -> llama3(where, map);
            case "yarn" -> yarn(where, map, width, base);
            case "longrope", "su" -> longRope(where, map, (int) (width / 2));
            default -> {
                reader.problem(
                        where
                                + ": rope type '"
                                + name
                                + "' is not supported; known are default, linear, llama3, yarn, longrope");
                yield new Rope.Unscaled();
            }
        };
    }

    private Rope.Scaling llama3(String where, JsonNode map) {
        double low = number(where, map, "low_freq_factor");
        double high = number(where, map, "high_freq_factor");
        if (high <= low) {
            reader.problem(where + ".high_freq_factor must be above low_freq_factor " + low);
        }
        String original = "original_max_position_embeddings";
        double positions = present(map, original) ? number(where, map, original) : maxPositions;
        return new Rope.Llama3(number(where, map, "factor"), low, high, positions);
    }

    /** As transformers reads it, {@code _compute_yarn_parameters}. */
    private Rope.Scaling yarn(String where, JsonNode map, long width, double base) {
        double factor = number(where, map, "factor");
        double fast = present(map, "beta_fast") ? number(where, map, "beta_fast") : 32;
        double slow = present(map, "beta_slow") ? number(where, map, "beta_slow") : 1;
        if (fast <= slow) {
            reader.problem(where + ".beta_fast must be above beta_slow " + slow);
        }
        String original = "original_max_position_embeddings";
        double positions = present(map, original) ? number(where, map, original) : maxPositions;
        double low = turningPair(fast, width, base, positions);
        double high = turningPair(slow, width, base, positions);
        if (map.path("truncate").asBoolean(true)) {
            low = Math.floor(low);
            high = Math.ceil(high);
        }
        low = Math.max(low, 0);
        high = Math.min(high, width - 1.0);
        if (low == high) {
            high += 0.001;
        }
        return new Rope.Yarn(factor, low, high, yarnMagnitude(where, map, factor));
    }

    private double yarnMagnitude(String where, JsonNode map, double factor) {
        if (present(map, "attention_factor")) {
            return number(where, map, "attention_factor");
        }
        double part = orZero(where, map, "mscale");
        double whole = orZero(where, map, "mscale_all_dim");
        return part != 0 && whole != 0
                ? Rope.Yarn.growth(factor, part) / Rope.Yarn.growth(factor, whole)
                : Rope.Yarn.growth(factor, 1);
    }

    /** The pair, not a whole number, that turns so often within that many positions. */
    private static double turningPair(double turns, long width, double base, double positions) {
        return width * Math.log(positions / (turns * 2 * Math.PI)) / (2 * Math.log(base));
    }

    /** A number above 0, or 0 where it is absent, null or 0. */
    private double orZero(String where, JsonNode map, String key) {
        JsonNode node = map.get(key);
        boolean none =
                node == null || node.isNull() || (node.isNumber() && node.doubleValue() == 0);
        return none ? 0 : number(where, map, key);
    }

    /** As transformers reads it, {@code _compute_longrope_parameters}. */
    private Rope.Scaling longRope(String where, JsonNode map, int pairs) {
        double positions = longRopePositions(where, map);
        double magnitude;
        if (present(map, "attention_factor")) {
            magnitude = number(where, map, "attention_factor");
        } else {
            double factor =
                    present(map, "factor")
                            ? number(where, map, "factor")
                            : maxPositions / positions;
            magnitude = factor > 1 ? Math.sqrt(1 + Math.log(factor) / Math.log(positions)) : 1;
        }
        return new Rope.LongRope(
                factors(where, map, "short_factor", pairs),
                factors(where, map, "long_factor", pairs),
                (long) positions,
                magnitude);
    }

    /** The length from which on a text takes the long factors. */
    private double longRopePositions(String where, JsonNode map) {
        String original = "original_max_position_embeddings";
        if (present(map, original)) {
            return number(where, map, original);
        }
        if (settings.originalPositions() != null) {
            return reader.positive(settings.originalPositions());
        }
        return present(config, original)
                ? reader.positive(original, config.get(original))
                : maxPositions;
    }

    private static boolean present(JsonNode map, String key) {
        return map.has(key) && !map.get(key).isNull();
    }

    private List<Double> factors(String where, JsonNode map, String key, int pairs) {
        JsonNode list = map.get(key);
        if (list == null || !list.isArray() || list.size() != pairs) {
            reader.problem(where + "." + key + " must be a list of " + pairs + " numbers");
            return List.of();
        }
        List<Double> factors = new ArrayList<>();
        for (JsonNode factor : list) {
            factors.add(reader.positive(where + "." + key, factor));
        }
        return factors;
    }

    private double number(String where, JsonNode map, String key) {
        return reader.positive(where + "." + key, map.get(key));
    }
}
