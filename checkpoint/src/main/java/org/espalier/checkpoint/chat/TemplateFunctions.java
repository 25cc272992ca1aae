package org.espalier.checkpoint.chat;

import java.time.LocalDate;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The functions that transformers and Jinja give to chat templates. */
final class TemplateFunctions {
    /** The day that the templates of Llama 3 themselves fall back to: a figure must not depend on the day of the run. */
    private static final LocalDate TODAY = LocalDate.of(2024, 7, 26);

    private static final int LONGEST_RANGE = 100_000;

    private static final Map<Character, String> PATTERNS =
            Map.of(
                    'd', "dd", 'm', "MM", 'Y', "yyyy", 'y', "yy", 'b', "MMM", 'B', "MMMM", 'A',
                    "EEEE", 'a', "EEE");

    private TemplateFunctions() {}

    /** Sets them in a scope. */
    static void define(Scope scope) {
        scope.set("raise_exception", function((arguments, _) -> refuse(text(arguments))));
        scope.set("strftime_now", function((arguments, _) -> date(text(arguments))));
        scope.set("range", function((arguments, _) -> range(arguments)));
        scope.set(
                "namespace",
                function((_, named) -> {
                    Namespace namespace = new Namespace();
                    namespace.putAll(named);
                    return namespace;
                }));
        scope.set("dict", function((_, named) -> new LinkedHashMap<>(named)));
    }

    /** What a function makes of its arguments. */
    private interface Body {
        @Nullable Object of(List<@Nullable Object> arguments, Map<String, @Nullable Object> named);
    }

    private static Callable function(Body body) {
        return new Callable() {
            @Override
            public @Nullable Object call(
                    Rendering rendering,
                    List<@Nullable Object> arguments,
                    Map<String, @Nullable Object> named) {
                return body.of(arguments, named);
            }
        };
    }

    private static String text(List<@Nullable Object> arguments) {
        return arguments.isEmpty() ? "" : Values.string(arguments.getFirst());
    }

    private static Object refuse(String reason) {
        throw new TemplateRefusal(reason);
    }

    private static List<@Nullable Object> range(List<@Nullable Object> arguments) {
        long[] bounds =
                arguments.stream().mapToLong(value -> Values.number(value).longValue()).toArray();
        if (bounds.length < 1 || bounds.length > 3 || (bounds.length == 3 && bounds[2] == 0)) {
            throw new TemplateRefusal("it asks for a range without bounds");
        }
        long start = bounds.length == 1 ? 0 : bounds[0];
        long end = bounds.length == 1 ? bounds[0] : bounds[1];
        long step = bounds.length == 3 ? Math.clamp(bounds[2], -(1L << 32), 1L << 32) : 1;
        List<@Nullable Object> range = new ArrayList<>();
        for (long i = Math.clamp(start, -(1L << 40), 1L << 40);
                step > 0 ? i < end : i > end;
                i += step) {
            if (range.size() >= LONGEST_RANGE) {
                throw new TemplateRefusal("it asks for a range that is too long");
            }
            range.add(i);
        }
        return range;
    }

    /** A fixed day in the letters of strftime; of the time it is midnight. */
    private static String date(String letters) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < letters.length(); i++) {
            char c = letters.charAt(i);
            if (c == '%' && i + 1 < letters.length()) {
                char letter = letters.charAt(++i);
                String pattern = PATTERNS.get(letter);
                if (pattern != null) {
                    text.append(TODAY.format(DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH)));
                } else {
                    text.append("HMS".indexOf(letter) >= 0 ? "00" : String.valueOf(letter));
                }
            } else {
                text.append(c);
            }
        }
        return text.toString();
    }
}
