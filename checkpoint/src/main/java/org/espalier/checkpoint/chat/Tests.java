package org.espalier.checkpoint.chat;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What can be asked of a value with {@code is}. */
final class Tests {
    private Tests() {}

    /**
     * Whether a test holds.
     *
     * @throws TemplateRefusal where it is not known
     */
    static boolean holds(String name, @Nullable Object value, List<@Nullable Object> arguments) {
        return switch (name) {
            case "defined" -> !(value instanceof Undefined);
            case "undefined" -> value instanceof Undefined;
            case "none" -> value == null;
            case "string" -> value instanceof String;
            case "number" -> value instanceof Number || value instanceof Boolean;
            case "integer" -> Values.isWhole(value) && !(value instanceof Boolean);
            case "float" -> value instanceof Double;
            case "boolean" -> value instanceof Boolean;
            case "mapping" -> value instanceof Map;
            case "sequence", "iterable" ->
                    value instanceof String
                            || value instanceof List
                            || value instanceof Map
                            || (name.equals("iterable") && value instanceof Undefined);
            case "callable" -> value instanceof Callable;
            case "true" -> Boolean.TRUE.equals(value);
            case "false" -> Boolean.FALSE.equals(value);
            case "odd" -> Values.number(value).longValue() % 2 != 0;
            case "even" -> Values.number(value).longValue() % 2 == 0;
            case "lower" ->
                    value instanceof String text
                            && text.equals(text.toLowerCase(java.util.Locale.ROOT));
            case "upper" ->
                    value instanceof String text
                            && text.equals(text.toUpperCase(java.util.Locale.ROOT));
            case "divisibleby" -> {
                long divisor = Values.number(other(arguments)).longValue();
                yield divisor != 0 && Values.number(value).longValue() % divisor == 0;
            }
            case "equalto", "eq", "==" -> Values.areEqual(value, other(arguments));
            case "ne", "!=" -> !Values.areEqual(value, other(arguments));
            case "gt", "greaterthan", ">" -> Values.compare(value, other(arguments)) > 0;
            case "ge", ">=" -> Values.compare(value, other(arguments)) >= 0;
            case "lt", "lessthan", "<" -> Values.compare(value, other(arguments)) < 0;
            case "le", "<=" -> Values.compare(value, other(arguments)) <= 0;
            case "in" -> Values.contains(other(arguments), value);
            default ->
                    throw new TemplateRefusal(
                            "it asks whether something is " + name + ", which is not known here");
        };
    }

    private static @Nullable Object other(List<@Nullable Object> arguments) {
        if (arguments.isEmpty()) {
            throw new TemplateRefusal("it compares with nothing");
        }
        return arguments.getFirst();
    }
}
