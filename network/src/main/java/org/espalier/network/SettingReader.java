package org.espalier.network;

import java.util.ArrayList;
import java.util.List;
import org.espalier.core.UserError;
import org.espalier.network.family.Setting;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Reads single settings and collects what is wrong with them. After a problem a harmless value is returned, so that
 * reading goes on and all problems are seen at once.
 */
final class SettingReader {
    /** Keeps products of two sizes far from overflow; no model comes near it. */
    private static final long MOST = Integer.MAX_VALUE;

    private final ObjectNode config;
    private final List<String> problems = new ArrayList<>();

    SettingReader(ObjectNode config) {
        this.config = config;
    }

    void problem(String problem) {
        problems.add(problem);
    }

    void throwProblems() {
        if (!problems.isEmpty()) {
            throw new UserError("config.json: " + Complaints.join(problems));
        }
    }

    /** A whole number from 1. */
    long count(Setting setting) {
        return number(setting, given(setting), 1, 1);
    }

    /** A whole number from 1, or {@code otherwise} where it is null, absent without a default, or no setting at all. */
    long countOr(@Nullable Setting setting, long otherwise) {
        JsonNode node = setting == null ? null : node(setting);
        return setting == null || node == null || node.isNull()
                ? otherwise
                : number(setting, node, 1, otherwise);
    }

    /** A whole number from 0. */
    long natural(Setting setting) {
        return number(setting, given(setting), 0, 0);
    }

    private long number(Setting setting, @Nullable JsonNode node, long least, long harmless) {
        // Tools that are not written in Python leave 32000.0 where 32000 is meant.
        double value = node != null && node.isNumber() ? node.asDouble(-1) : -1;
        if (value >= least && value <= MOST && value == Math.rint(value)) {
            return (long) value;
        }
        problem(found(setting.key(), "a whole number from " + least + " to " + MOST, node));
        return harmless;
    }

    /** A finite number above 0. */
    double positive(Setting setting) {
        return positive(setting.key(), given(setting));
    }

    /** A finite number above 0. */
    double positive(String key, @Nullable JsonNode node) {
        if (node != null && node.isNumber()) {
            // A number beyond the range of a double is refused like an infinite one.
            double value = node.asDouble(Double.POSITIVE_INFINITY);
            if (value > 0 && value < Double.POSITIVE_INFINITY) {
                return value;
            }
        }
        problem(found(key, "a number above 0", node));
        return 1;
    }

    /** A finite number above 0; null where it is null, absent without a default, or no setting at all. */
    @Nullable Double positiveOrNull(@Nullable Setting setting) {
        JsonNode node = setting == null ? null : node(setting);
        return setting == null || node == null || node.isNull()
                ? null
                : Double.valueOf(positive(setting.key(), node));
    }

    /** True or false, or {@code otherwise} where there is no such setting. */
    boolean flagOr(@Nullable Setting setting, boolean otherwise) {
        return setting == null ? otherwise : flag(setting);
    }

    boolean flag(Setting setting) {
        JsonNode node = given(setting);
        if (node != null && node.isBoolean()) {
            return node.booleanValue();
        }
        problem(found(setting.key(), "true or false", node));
        return false;
    }

    String text(Setting setting) {
        JsonNode node = given(setting);
        if (node != null && node.isString()) {
            return node.stringValue();
        }
        problem(found(setting.key(), "a name", node));
        return "";
    }

    /** The value, or the default where it is absent or null: a setting without a meaning of its own for null. */
    private @Nullable JsonNode given(Setting setting) {
        JsonNode node = node(setting);
        return node == null || node.isNull() ? setting.fallback() : node;
    }

    private @Nullable JsonNode node(Setting setting) {
        JsonNode node = config.get(setting.key());
        List<String> also = setting.also();
        for (int i = 0; isNothing(node) && also != null && i < also.size(); i++) {
            JsonNode other = config.get(also.get(i));
            node = other == null ? node : other;
        }
        return node == null ? setting.fallback() : node;
    }

    private static boolean isNothing(@Nullable JsonNode node) {
        return node == null || node.isNull();
    }

    private static String found(String key, String expected, @Nullable JsonNode node) {
        return node == null
                ? key + " is missing; it must be " + expected
                : key + " must be " + expected + " but is " + node;
    }
}
