package org.espalier.checkpoint.chat;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.espalier.checkpoint.Text;
import org.espalier.core.UserError;
import org.jspecify.annotations.Nullable;

/**
 * A model's own way of writing a chat as text: a Jinja template, with the settings and functions that transformers gives
 * it. It is a stranger's program, so it is run by an interpreter of our own that knows strings, numbers, lists and maps
 * and nothing else, and counts every step: its time, output and depth are bounded. (Jinjava was tried: it keeps white space
 * that a minus takes, orders operators in another way, and reaches for methods of Java objects.)
 */
public final class ChatTemplate {
    private static final int LONGEST = 1 << 20;

    private final Statement template;
    private final Map<String, String> special;

    /**
     * A template.
     *
     * @param template its text
     * @param special the special tokens by their names, such as {@code bos_token}
     * @throws UserError where it is not Jinja as chat templates use it
     */
    public ChatTemplate(String template, Map<String, String> special) {
        if (template.length() > LONGEST) {
            throw refusal("has more than " + LONGEST + " characters", null);
        }
        try {
            this.template = TemplateParser.parse(template);
        } catch (TemplateRefusal e) {
            throw refusal("cannot be read: " + Text.line(String.valueOf(e.getMessage())), e);
        }
        this.special = Map.copyOf(special);
    }

    /**
     * The text of a chat, without an invitation to answer at its end.
     *
     * @throws UserError where the template refuses the chat, is wrong, or goes beyond its bounds
     */
    public String render(List<Map<String, Object>> messages) {
        Scope scope = new Scope(null);
        TemplateFunctions.define(scope);
        special.forEach(scope::set);
        List<@Nullable Object> plain = new ArrayList<>();
        messages.forEach(message -> plain.add(plain(message, 0)));
        scope.set("messages", plain);
        scope.set("add_generation_prompt", false);
        scope.set("tools", null);
        scope.set("documents", null);
        Rendering rendering = new Rendering();
        try {
            template.run(rendering, scope);
            return rendering.takeFrom(0);
        } catch (TemplateRefusal e) {
            throw refusal("refuses it: " + Text.line(String.valueOf(e.getMessage())), e);
        } catch (StackOverflowError e) {
            throw refusal("is nested too deeply", e);
        }
    }

    /** Copies, as a template may change what it is given, of the few types that it knows. */
    private static @Nullable Object plain(@Nullable Object value, int depth) {
        if (depth > 50) {
            throw refusal("cannot be given a message that is nested so deeply", null);
        }
        return switch (value) {
            case Map<?, ?> map -> {
                Map<String, @Nullable Object> copy = new LinkedHashMap<>();
                map.forEach((key, part) -> copy.put(String.valueOf(key), plain(part, depth + 1)));
                yield copy;
            }
            case List<?> list -> {
                List<@Nullable Object> copy = new ArrayList<>();
                list.forEach(part -> copy.add(plain(part, depth + 1)));
                yield copy;
            }
            case Integer number -> (long) number;
            case Number number -> number instanceof Long ? number : (Object) number.doubleValue();
            case null -> null;
            default -> value;
        };
    }

    private static UserError refusal(String why, @Nullable Throwable cause) {
        String message = "the model's chat template " + why;
        return cause == null ? new UserError(message) : new UserError(message, cause);
    }
}
