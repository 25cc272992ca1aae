package org.espalier.checkpoint.chat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The filters that chat templates use, as Jinja and transformers define them. */
final class Filters {
    private Filters() {}

    /**
     * Applies a filter.
     *
     * @throws TemplateRefusal where it is not known
     */
    static @Nullable Object apply(
            String name,
            @Nullable Object value,
            List<@Nullable Object> arguments,
            Map<String, @Nullable Object> named,
            Rendering rendering) {
        return switch (name) {
            case "trim" -> PythonMethods.call(rendering, Values.string(value), "strip", arguments);
            case "upper", "lower", "capitalize", "title", "replace" ->
                    PythonMethods.call(rendering, Values.string(value), name, arguments);
            case "string" -> Values.string(value);
            case "safe" -> value;
            case "e", "escape" -> escaped(Values.string(value), rendering);
            case "int" -> whole(value);
            case "float" -> Values.number(value).doubleValue();
            case "abs" ->
                    Values.isWhole(value)
                            ? (Object) Math.abs(Values.number(value).longValue())
                            : (Object) Math.abs(Values.number(value).doubleValue());
            case "length", "count" -> length(value);
            case "tojson" -> ToJson.of(value, argument(arguments, named, 0, "indent"), rendering);
            case "default", "d" -> {
                boolean also = Values.isTrue(argument(arguments, named, 1, "boolean"));
                boolean missing = value instanceof Undefined || (also && !Values.isTrue(value));
                Object other = argument(arguments, named, 0, "default_value");
                yield missing ? (other == null ? "" : other) : value;
            }
            case "indent" -> indented(Values.string(value), arguments, named, rendering);
            case "items" -> PythonMethods.call(rendering, value, "items", List.of());
            case "dictsort" -> sorted((List<?>) items(value, rendering));
            default -> ofList(name, value, arguments, named, rendering);
        };
    }

    private static @Nullable Object ofList(
            String name,
            @Nullable Object value,
            List<@Nullable Object> arguments,
            Map<String, @Nullable Object> named,
            Rendering rendering) {
        return switch (name) {
            case "list" -> listOf(value, rendering);
            case "first" -> listOf(value, rendering).stream().findFirst().orElse(Values.UNDEFINED);
            case "last" -> {
                List<@Nullable Object> list = listOf(value, rendering);
                yield list.isEmpty() ? Values.UNDEFINED : list.getLast();
            }
            case "reverse" -> {
                if (value instanceof String text) {
                    yield new StringBuilder(text).reverse().toString();
                }
                List<@Nullable Object> list = listOf(value, rendering);
                Collections.reverse(list);
                yield list;
            }
            case "join" -> joined(listOf(value, rendering), arguments, named, rendering);
            case "unique" -> unique(listOf(value, rendering), rendering);
            case "sort" -> sorted(listOf(value, rendering));
            case "sum" -> {
                Object sum = 0L;
                for (Object element : listOf(value, rendering)) {
                    sum = Values.arithmetic("+", sum, element, rendering);
                }
                yield sum;
            }
            case "map" -> mapped(listOf(value, rendering), arguments, named, rendering);
            case "select", "reject" ->
                    chosen(listOf(value, rendering), null, name.equals("select"), arguments);
            case "selectattr", "rejectattr" -> {
                if (arguments.isEmpty()) {
                    throw new TemplateRefusal("its filter " + name + " names no attribute");
                }
                yield chosen(
                        listOf(value, rendering),
                        Values.string(arguments.getFirst()),
                        name.equals("selectattr"),
                        arguments.subList(1, arguments.size()));
            }
            default ->
                    throw new TemplateRefusal(
                            "it has the filter " + name + ", which is not known here");
        };
    }

    private static List<@Nullable Object> unique(List<@Nullable Object> list, Rendering rendering) {
        List<@Nullable Object> unique = new ArrayList<>();
        for (Object element : list) {
            rendering.read(unique);
            if (unique.stream().noneMatch(other -> Values.areEqual(other, element))) {
                unique.add(element);
            }
        }
        return unique;
    }

    private static @Nullable Object argument(
            List<@Nullable Object> arguments,
            Map<String, @Nullable Object> named,
            int index,
            String name) {
        return index < arguments.size() ? arguments.get(index) : named.get(name);
    }

    private static Object items(@Nullable Object value, Rendering rendering) {
        Object items = PythonMethods.call(rendering, value, "items", List.of());
        return items == null ? List.of() : items;
    }

    private static List<@Nullable Object> listOf(@Nullable Object value, Rendering rendering) {
        List<@Nullable Object> list = Values.elements(value);
        return rendering.made(list, list.size());
    }

    private static long length(@Nullable Object value) {
        return switch (value) {
            case String text -> text.codePointCount(0, text.length());
            case List<?> list -> list.size();
            case Map<?, ?> map -> map.size();
            case null, default ->
                    throw new TemplateRefusal("it asks for the length of what has none");
        };
    }

    private static Object whole(@Nullable Object value) {
        if (value instanceof String text) {
            try {
                return Long.parseLong(text.strip());
            } catch (NumberFormatException e) {
                return 0L;
            }
        }
        return Values.number(value).longValue();
    }

    private static String escaped(String text, Rendering rendering) {
        String escaped =
                text.replace("&", "&amp;")
                        .replace("<", "&lt;")
                        .replace(">", "&gt;")
                        .replace("'", "&#39;")
                        .replace("\"", "&#34;");
        return rendering.made(escaped, escaped.length());
    }

    private static String indented(
            String text,
            List<@Nullable Object> arguments,
            Map<String, @Nullable Object> named,
            Rendering rendering) {
        Object width = argument(arguments, named, 0, "width");
        String blanks =
                " "
                        .repeat(
                                Math.clamp(
                                        width == null ? 4 : Values.number(width).longValue(),
                                        0,
                                        100));
        boolean first = Values.isTrue(argument(arguments, named, 1, "first"));
        String indented =
                (first ? blanks : "")
                        + text.replace("\n", "\n" + blanks).replace("\n" + blanks + "\n", "\n\n");
        return rendering.made(indented, indented.length());
    }

    private static String joined(
            List<@Nullable Object> list,
            List<@Nullable Object> arguments,
            Map<String, @Nullable Object> named,
            Rendering rendering) {
        Object between = argument(arguments, named, 0, "d");
        Object attribute = argument(arguments, named, 1, "attribute");
        String separator = between == null ? "" : Values.string(between);
        long size = 0;
        List<String> parts = new ArrayList<>();
        for (Object element : list) {
            String part =
                    Values.string(attribute == null ? element : Values.part(element, attribute));
            size += part.length() + separator.length();
            rendering.made(part, (int) Math.min(size, Integer.MAX_VALUE));
            parts.add(part);
        }
        return String.join(separator, parts);
    }

    private static List<@Nullable Object> sorted(List<?> list) {
        List<@Nullable Object> sorted = new ArrayList<>(list);
        sorted.sort((a, b) -> Values.compare(key(a), key(b)));
        return sorted;
    }

    /** Pairs are sorted by what comes first; letters without their case. */
    private static @Nullable Object key(@Nullable Object value) {
        Object key = value instanceof List<?> pair && !pair.isEmpty() ? pair.getFirst() : value;
        return key instanceof String text ? text.toLowerCase(Locale.ROOT) : key;
    }

    private static List<@Nullable Object> mapped(
            List<@Nullable Object> list,
            List<@Nullable Object> arguments,
            Map<String, @Nullable Object> named,
            Rendering rendering) {
        List<@Nullable Object> mapped = new ArrayList<>();
        for (Object element : list) {
            rendering.step();
            if (named.containsKey("attribute")) {
                Object part = Values.part(element, named.get("attribute"));
                mapped.add(
                        part instanceof Undefined && named.containsKey("default")
                                ? named.get("default")
                                : part);
            } else if (arguments.isEmpty()) {
                throw new TemplateRefusal("its filter map names no filter");
            } else {
                mapped.add(
                        apply(
                                Values.string(arguments.getFirst()),
                                element,
                                arguments.subList(1, arguments.size()),
                                Map.of(),
                                rendering));
            }
        }
        return mapped;
    }

    private static List<@Nullable Object> chosen(
            List<@Nullable Object> list,
            @Nullable String attribute,
            boolean wanted,
            List<@Nullable Object> arguments) {
        List<@Nullable Object> chosen = new ArrayList<>();
        for (Object element : list) {
            Object part = attribute == null ? element : Values.part(element, attribute);
            boolean holds =
                    arguments.isEmpty()
                            ? Values.isTrue(part)
                            : Tests.holds(
                                    Values.string(arguments.getFirst()),
                                    part,
                                    arguments.subList(1, arguments.size()));
            if (holds == wanted) {
                chosen.add(element);
            }
        }
        return chosen;
    }
}
