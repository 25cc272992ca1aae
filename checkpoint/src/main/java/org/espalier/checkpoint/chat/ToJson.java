package org.espalier.checkpoint.chat;

import java.util.List;
import java.util.Map;
import org.espalier.checkpoint.Json;
import org.jspecify.annotations.Nullable;

/** The filter {@code tojson} as transformers has it: Python's spaces, and letters of every language as they are. */
final class ToJson {
    private static final int DEEPEST = 50;

    private final StringBuilder text = new StringBuilder();
    private final int indent;
    private final Rendering rendering;

    private ToJson(int indent, Rendering rendering) {
        this.indent = indent;
        this.rendering = rendering;
    }

    static String of(@Nullable Object value, @Nullable Object indent, Rendering rendering) {
        int width = indent == null ? -1 : Math.clamp(Values.number(indent).longValue(), 0, 16);
        ToJson json = new ToJson(width, rendering);
        json.write(value, 0);
        return rendering.made(json.text.toString(), json.text.length());
    }

    private void write(@Nullable Object value, int depth) {
        if (depth > DEEPEST) {
            throw new TemplateRefusal("a value for tojson is too deep");
        }
        rendering.step();
        switch (value) {
            case null -> text.append("null");
            case Map<?, ?> map -> {
                text.append('{');
                boolean first = true;
                for (Map.Entry<?, ?> entry : map.entrySet()) {
                    next(first, depth + 1);
                    first = false;
                    text.append(quoted(String.valueOf(entry.getKey()))).append(": ");
                    write(entry.getValue(), depth + 1);
                }
                end(first, depth);
                text.append('}');
            }
            case List<?> list -> {
                text.append('[');
                boolean first = true;
                for (Object element : list) {
                    next(first, depth + 1);
                    first = false;
                    write(element, depth + 1);
                }
                end(first, depth);
                text.append(']');
            }
            case Number number -> text.append(number);
            case Boolean truth -> text.append(truth);
            case String string -> text.append(quoted(string));
            default -> throw new TemplateRefusal("it writes as JSON what is no value");
        }
    }

    private void next(boolean first, int depth) {
        if (!first) {
            text.append(indent < 0 ? ", " : ",");
        }
        if (indent >= 0) {
            text.append('\n').repeat(' ', indent * depth);
        }
    }

    private void end(boolean empty, int depth) {
        if (indent >= 0 && !empty) {
            text.append('\n').repeat(' ', indent * depth);
        }
    }

    private static String quoted(String text) {
        return Json.MAPPER.writeValueAsString(text);
    }
}
