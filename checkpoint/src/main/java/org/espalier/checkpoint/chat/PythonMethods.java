package org.espalier.checkpoint.chat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The methods of Python's strings, lists and dictionaries that chat templates call. */
final class PythonMethods {
    private static final int LONGEST = 1 << 26;

    private PythonMethods() {}

    /**
     * Calls a method.
     *
     * @throws TemplateRefusal where it is not one of those
     */
    static @Nullable Object call(
            Rendering rendering,
            @Nullable Object base,
            String method,
            List<@Nullable Object> arguments) {
        if (base instanceof String text) {
            Object result = ofString(text, method, arguments);
            return rendering.made(
                    result, result instanceof String made ? made.length() : text.length());
        }
        if (base instanceof Map<?, ?> map) {
            return ofMap(map, method, arguments);
        }
        if (base instanceof List<?> list) {
            return ofList(list, method, arguments);
        }
        if (base == null || base instanceof Undefined) {
            throw new TemplateRefusal("it calls " + method + "() of what is not there");
        }
        throw unknown(method);
    }

    private static Object ofString(String text, String method, List<@Nullable Object> arguments) {
        return switch (method) {
            case "strip" -> stripEnd(stripStart(text, arguments), arguments);
            case "lstrip" -> stripStart(text, arguments);
            case "rstrip" -> stripEnd(text, arguments);
            case "upper" -> text.toUpperCase(Locale.ROOT);
            case "lower" -> text.toLowerCase(Locale.ROOT);
            case "capitalize" ->
                    text.isEmpty()
                            ? text
                            : text.substring(0, 1).toUpperCase(Locale.ROOT)
                                    + text.substring(1).toLowerCase(Locale.ROOT);
            case "title" -> title(text);
            case "startswith" -> any(arguments).stream().anyMatch(text::startsWith);
            case "endswith" -> any(arguments).stream().anyMatch(text::endsWith);
            case "split" -> split(text, arguments);
            case "splitlines" -> new ArrayList<>(text.lines().toList());
            case "replace" -> replaced(text, string(arguments, 0), string(arguments, 1));
            case "find" -> (long) text.indexOf(string(arguments, 0));
            case "count" -> (long) text.split(Pattern.quote(string(arguments, 0)), -1).length - 1;
            case "join" -> joined(text, list(arguments));
            default -> throw unknown(method);
        };
    }

    private static @Nullable Object ofMap(
            Map<?, ?> map, String method, List<@Nullable Object> arguments) {
        return switch (method) {
            case "get" -> {
                Object value = map.get(string(arguments, 0));
                boolean there = map.containsKey(string(arguments, 0));
                yield !there && arguments.size() > 1 ? arguments.get(1) : value;
            }
            case "keys" -> new ArrayList<>(map.keySet());
            case "values" -> new ArrayList<>(map.values());
            case "items" -> {
                List<Object> items = new ArrayList<>();
                map.forEach((key, value) -> items.add(Arrays.asList(key, value)));
                yield items;
            }
            default -> throw unknown(method);
        };
    }

    @SuppressWarnings("unchecked")
    private static @Nullable Object ofList(
            List<?> list, String method, List<@Nullable Object> arguments) {
        return switch (method) {
            case "append" -> {
                ((List<@Nullable Object>) list).add(arguments.getFirst());
                yield null;
            }
            case "count" ->
                    list.stream()
                            .filter(value -> Values.areEqual(value, arguments.getFirst()))
                            .count();
            default -> throw unknown(method);
        };
    }

    private static TemplateRefusal unknown(String method) {
        return new TemplateRefusal("it calls " + method + "(), which is not known here");
    }

    private static String string(List<@Nullable Object> arguments, int index) {
        if (index >= arguments.size() || arguments.get(index) == null) {
            throw new TemplateRefusal("it calls a method with too few arguments");
        }
        return Values.string(arguments.get(index));
    }

    private static List<?> list(List<@Nullable Object> arguments) {
        if (!arguments.isEmpty() && arguments.getFirst() instanceof List<?> list) {
            return list;
        }
        throw new TemplateRefusal("it joins what is no list");
    }

    private static String joined(String between, List<?> list) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < list.size(); i++) {
            text.append(i == 0 ? "" : between).append(Values.string(list.get(i)));
            if (text.length() > LONGEST) {
                throw new TemplateRefusal("it makes a value that is too long");
            }
        }
        return text.toString();
    }

    private static String replaced(String text, String from, String to) {
        // What comes out is at most this long; it is made only where that is little.
        long most =
                (from.isEmpty() ? text.length() + 1L : text.length() / from.length()) * to.length()
                        + text.length();
        if (most > LONGEST) {
            throw new TemplateRefusal("it makes a value that is too long");
        }
        return text.replace(from, to);
    }

    /** A word, or each of several. */
    private static List<String> any(List<@Nullable Object> arguments) {
        return !arguments.isEmpty() && arguments.getFirst() instanceof List<?> list
                ? list.stream().map(Values::string).toList()
                : List.of(string(arguments, 0));
    }

    private static String stripStart(String text, List<@Nullable Object> arguments) {
        int start = 0;
        while (start < text.length() && isStripped(text.charAt(start), arguments)) {
            start++;
        }
        return text.substring(start);
    }

    private static String stripEnd(String text, List<@Nullable Object> arguments) {
        int end = text.length();
        while (end > 0 && isStripped(text.charAt(end - 1), arguments)) {
            end--;
        }
        return text.substring(0, end);
    }

    private static boolean isStripped(char c, List<@Nullable Object> arguments) {
        return (arguments.isEmpty() || arguments.getFirst() == null)
                ? Character.isWhitespace(c) || Character.isSpaceChar(c)
                : string(arguments, 0).indexOf(c) >= 0;
    }

    private static List<String> split(String text, List<@Nullable Object> arguments) {
        if (arguments.isEmpty() || arguments.getFirst() == null) {
            return new ArrayList<>(
                    text.isBlank() ? List.of() : Arrays.asList(text.strip().split("\\s+")));
        }
        int limit =
                arguments.size() > 1
                                && arguments.get(1) instanceof Number most
                                && most.intValue() >= 0
                        ? most.intValue() + 1
                        : -1;
        return new ArrayList<>(
                Arrays.asList(text.split(Pattern.quote(string(arguments, 0)), limit)));
    }

    private static String title(String text) {
        StringBuilder title = new StringBuilder();
        boolean inside = false;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            title.append(inside ? Character.toLowerCase(c) : Character.toUpperCase(c));
            inside = Character.isLetter(c);
        }
        return title.toString();
    }
}
