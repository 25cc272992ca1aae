package org.espalier.checkpoint.chat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Python's rules for values, as far as templates use them. */
final class Values {
    /** A variable that nobody set. */
    static final Object UNDEFINED = Undefined.VALUE;

    private static final int DEEPEST = 50;
    private static final int LONGEST = 1 << 22;
    private static final int MOST_COMPARED = 1 << 20;

    private Values() {}

    static boolean isTrue(@Nullable Object value) {
        return switch (value) {
            case null -> false;
            case Boolean truth -> truth;
            case Number number -> number.doubleValue() != 0;
            case String text -> !text.isEmpty();
            case List<?> list -> !list.isEmpty();
            case Map<?, ?> map -> !map.isEmpty();
            default -> !(value instanceof Undefined);
        };
    }

    /** As Python's {@code str}. */
    static String string(@Nullable Object value) {
        if (value instanceof String text) {
            return text;
        }
        StringBuilder text = new StringBuilder();
        represent(text, value, 0);
        return text.toString();
    }

    private static void represent(StringBuilder text, @Nullable Object value, int depth) {
        if (depth > DEEPEST || text.length() > LONGEST) {
            throw new TemplateRefusal("a value is too large to be written");
        }
        switch (value) {
            case null -> text.append("None");
            case Boolean truth -> text.append(truth ? "True" : "False");
            case String string ->
                    text.append("'")
                            .append(
                                    string.replace("\\", "\\\\")
                                            .replace("'", "\\'")
                                            .replace("\n", "\\n"))
                            .append("'");
            case List<?> list -> {
                text.append('[');
                for (int i = 0; i < list.size(); i++) {
                    text.append(i == 0 ? "" : ", ");
                    represent(text, list.get(i), depth + 1);
                }
                text.append(']');
            }
            case Map<?, ?> map -> {
                text.append('{');
                boolean first = true;
                for (Map.Entry<?, ?> entry : map.entrySet()) {
                    text.append(first ? "" : ", ");
                    first = false;
                    represent(text, entry.getKey(), depth + 1);
                    text.append(": ");
                    represent(text, entry.getValue(), depth + 1);
                }
                text.append('}');
            }
            default -> text.append(value instanceof Callable ? "a function" : value.toString());
        }
    }

    static boolean areEqual(@Nullable Object left, @Nullable Object right) {
        return areEqual(left, right, new int[] {MOST_COMPARED});
    }

    /** Lists may hold one another many times, so what is compared is counted. */
    @SuppressWarnings("ReferenceEquality") // the same list need not be compared with itself
    private static boolean areEqual(@Nullable Object left, @Nullable Object right, int[] budget) {
        if (budget[0]-- < 0) {
            throw new TemplateRefusal("it compares values that are too large");
        }
        Object a = left instanceof Boolean truth ? (truth ? 1L : 0L) : left;
        Object b = right instanceof Boolean truth ? (truth ? 1L : 0L) : right;
        if (a == b) {
            return true;
        }
        if (a instanceof Number first && b instanceof Number second) {
            return first.doubleValue() == second.doubleValue();
        }
        if (a instanceof List<?> first && b instanceof List<?> second) {
            boolean equal = first.size() == second.size();
            for (int i = 0; equal && i < first.size(); i++) {
                equal = areEqual(first.get(i), second.get(i), budget);
            }
            return equal;
        }
        if (a instanceof Map<?, ?> first && b instanceof Map<?, ?> second) {
            boolean equal = first.size() == second.size();
            for (Map.Entry<?, ?> entry : first.entrySet()) {
                equal =
                        equal
                                && second.containsKey(entry.getKey())
                                && areEqual(entry.getValue(), second.get(entry.getKey()), budget);
            }
            return equal;
        }
        return a instanceof String && a.equals(b);
    }

    static int compare(@Nullable Object left, @Nullable Object right) {
        if (left instanceof String a && right instanceof String b) {
            return a.compareTo(b);
        }
        return Double.compare(number(left).doubleValue(), number(right).doubleValue());
    }

    static boolean contains(@Nullable Object container, @Nullable Object part) {
        return switch (container) {
            case String text -> text.contains(string(part));
            case List<?> list -> list.stream().anyMatch(element -> areEqual(element, part));
            case Map<?, ?> map -> map.containsKey(string(part));
            case null, default -> throw new TemplateRefusal("it looks into what holds nothing");
        };
    }

    static Number number(@Nullable Object value) {
        return switch (value) {
            case Number number -> number;
            case Boolean truth -> truth ? 1L : 0L;
            case null, default -> throw new TemplateRefusal("it calculates with what is no number");
        };
    }

    static boolean isWhole(@Nullable Object value) {
        return value instanceof Long || value instanceof Integer || value instanceof Boolean;
    }

    static Object arithmetic(
            String operator, @Nullable Object left, @Nullable Object right, Rendering rendering) {
        if (operator.equals("+") && left instanceof String a && right instanceof String b) {
            return rendering.made(a + b, a.length() + b.length());
        }
        if (operator.equals("+") && left instanceof List<?> a && right instanceof List<?> b) {
            List<@Nullable Object> both = new ArrayList<>(a);
            both.addAll(b);
            return rendering.made(both, both.size());
        }
        if (operator.equals("*") && left instanceof String text && isWhole(right)) {
            long times = Math.clamp(number(right).longValue(), 0, 1 << 22);
            rendering.made(text, (int) Math.min(Integer.MAX_VALUE, times * text.length()));
            return text.repeat((int) times);
        }
        Number a = number(left);
        Number b = number(right);
        if (isWhole(left) && isWhole(right) && !operator.equals("/")) {
            long x = a.longValue();
            long y = b.longValue();
            if (y == 0 && (operator.equals("//") || operator.equals("%"))) {
                throw new TemplateRefusal("it divides by zero");
            }
            return switch (operator) {
                case "+" -> x + y;
                case "-" -> x - y;
                case "*" -> x * y;
                case "//" -> Math.floorDiv(x, y);
                case "%" -> Math.floorMod(x, y);
                default -> (long) Math.pow((double) x, (double) y);
            };
        }
        double x = a.doubleValue();
        double y = b.doubleValue();
        return switch (operator) {
            case "+" -> x + y;
            case "-" -> x - y;
            case "*" -> x * y;
            case "/" -> x / y;
            case "//" -> Math.floor(x / y);
            case "%" -> x - y * Math.floor(x / y);
            default -> Math.pow(x, y);
        };
    }

    /** What a loop goes over: the elements of a list, the keys of a map, the characters of a string. */
    static List<@Nullable Object> elements(@Nullable Object value) {
        return switch (value) {
            case List<?> list -> new ArrayList<>(list);
            case Map<?, ?> map -> new ArrayList<>(map.keySet());
            case String text -> {
                List<@Nullable Object> letters = new ArrayList<>();
                text.codePoints().forEach(c -> letters.add(Character.toString(c)));
                yield letters;
            }
            case null, default -> {
                if (value instanceof Undefined) {
                    yield new ArrayList<>();
                }
                throw new TemplateRefusal("it goes over what is no list");
            }
        };
    }

    /** A part by name or number. */
    static @Nullable Object part(@Nullable Object base, @Nullable Object key) {
        if (base instanceof Undefined || base == null) {
            throw new TemplateRefusal("it reads " + string(key) + " of what is not there");
        }
        if (base instanceof Map<?, ?> map) {
            String name = string(key);
            return map.containsKey(name) ? map.get(name) : UNDEFINED;
        }
        if (isWhole(key) && (base instanceof List || base instanceof String)) {
            int size = base instanceof String text ? text.length() : ((List<?>) base).size();
            long index = number(key).longValue();
            long at = index < 0 ? index + size : index;
            if (at < 0 || at >= size) {
                return UNDEFINED;
            }
            return base instanceof String text
                    ? String.valueOf(text.charAt((int) at))
                    : ((List<?>) base).get((int) at);
        }
        return UNDEFINED;
    }

    /** A slice of a list or string. */
    static Object slice(
            @Nullable Object base,
            @Nullable Object from,
            @Nullable Object to,
            @Nullable Object by,
            Rendering rendering) {
        if (!(base instanceof List) && !(base instanceof String)) {
            throw new TemplateRefusal("it takes a slice of what is no list");
        }
        int size = base instanceof String text ? text.length() : ((List<?>) base).size();
        long step = by == null ? 1 : Math.clamp(number(by).longValue(), -(1L << 32), 1L << 32);
        if (step == 0) {
            throw new TemplateRefusal("it takes a slice in steps of 0");
        }
        long start = bound(from, step > 0 ? 0 : size - 1L, size, step);
        long end = to == null ? (step > 0 ? size : -1) : bound(to, 0, size, step);
        List<@Nullable Object> parts = new ArrayList<>();
        for (long i = start; step > 0 ? i < end : i > end; i += step) {
            parts.add(part(base, i));
        }
        rendering.made(parts, parts.size());
        if (base instanceof List) {
            return parts;
        }
        StringBuilder text = new StringBuilder();
        parts.forEach(text::append);
        return text.toString();
    }

    private static long bound(@Nullable Object value, long otherwise, int size, long step) {
        if (value == null) {
            return otherwise;
        }
        long index = Math.clamp(number(value).longValue(), -(1L << 40), 1L << 40);
        long at = index < 0 ? index + size : index;
        return step > 0 ? Math.clamp(at, 0, size) : Math.clamp(at, -1, size - 1L);
    }
}
