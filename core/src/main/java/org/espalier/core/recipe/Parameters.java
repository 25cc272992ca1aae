package org.espalier.core.recipe;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.TreeSet;
import org.espalier.core.number.PlainNumber;
import org.jspecify.annotations.Nullable;

/**
 * Reads the parameters of a {@link Part}: each with its default and bounds. Faults go to the {@link Problems}, and the
 * default stands in, so that reading goes on and finds the next one. Call {@link #finish} last: it reports the keys that
 * nobody read.
 */
public final class Parameters {
    /** Characters of a value that a message repeats. */
    private static final int LONGEST = 80;

    private final Part part;
    private final Problems problems;
    private final Set<String> read = new HashSet<>();

    public Parameters(Part part, Problems problems) {
        this.part = part;
        this.problems = problems;
    }

    /** A real number in [minimum, maximum]. */
    public double number(String key, double standard, double minimum, double maximum) {
        Object value = value(key);
        if (value == null) {
            return standard;
        }
        if (value instanceof Number number
                && number.doubleValue() >= minimum
                && number.doubleValue() <= maximum) {
            return number.doubleValue();
        }
        fault(
                key,
                "must be a number from "
                        + minimum
                        + " to "
                        + maximum
                        + " but is "
                        + shownNumber(value));
        return standard;
    }

    /** A whole number in [minimum, maximum]. */
    public int integer(String key, int standard, int minimum, int maximum) {
        Object value = value(key);
        if (value == null) {
            return standard;
        }
        if (value instanceof Integer number && number >= minimum && number <= maximum) {
            return number;
        }
        fault(
                key,
                "must be a whole number from "
                        + minimum
                        + " to "
                        + maximum
                        + " but is "
                        + shownNumber(value));
        return standard;
    }

    /** true or false. */
    public boolean flag(String key, boolean standard) {
        Object value = value(key);
        if (value == null) {
            return standard;
        }
        if (value instanceof Boolean flag) {
            return flag;
        }
        fault(key, "must be true or false but is " + show(value));
        return standard;
    }

    /** One of a few words. */
    public String choice(String key, String standard, String... choices) {
        Object value = value(key);
        if (value == null) {
            return standard;
        }
        if (value instanceof String word && Arrays.asList(choices).contains(word)) {
            return word;
        }
        fault(key, "must be one of " + String.join(", ", choices) + " but is " + show(value));
        return standard;
    }

    /** Whether the key was given. */
    public boolean has(String key) {
        return part.parameters().containsKey(key);
    }

    /** Reports two keys of which one stands in the place of the other, where both were given. */
    public void requireOneOf(String key, String other) {
        if (has(key) && has(other)) {
            fault(other, "stands in the place of " + key + "; give one of the two");
        }
    }

    /** Reports every key that was given and never read. */
    public void finish() {
        Set<String> unknown = new TreeSet<>(part.parameters().keySet());
        unknown.removeAll(read);
        for (String key : unknown) {
            String known =
                    read.isEmpty() ? "it takes no parameters" : "known are " + new TreeSet<>(read);
            fault(key, "unknown parameter of " + part.method() + "; " + known);
        }
    }

    /** A value for a message: one line of limited length, text in quotes. */
    static String show(Object value) {
        String line = String.valueOf(value).replaceAll("\\s+", " ");
        String clipped = line.length() <= LONGEST ? line : line.substring(0, LONGEST) + "...";
        return value instanceof String ? "'" + clipped + "'" : clipped;
    }

    /** What stands where a number should, and how to write the number that was meant. */
    private static String shownNumber(Object value) {
        if (!(value instanceof String text)) {
            return show(value);
        }
        String hint =
                PlainNumber.real(text) == null ? PlainNumber.hint(text) : "; leave the quotes out";
        return "the text " + show(text) + hint;
    }

    private @Nullable Object value(String key) {
        read.add(key);
        return part.parameters().get(key);
    }

    private void fault(String key, String message) {
        problems.add(part.path() + "." + key, message);
    }
}
