package org.espalier.checkpoint.chat;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A loop.
 *
 * @param names what each element is called, or its parts
 * @param over what it goes over
 * @param filter which elements count, or null for all
 * @param body what is done for each
 * @param none what is done where there is no element
 */
record Loop(
        List<String> names,
        Expression over,
        @Nullable Expression filter,
        Statement body,
        Statement none)
        implements Statement {
    Loop {
        names = List.copyOf(names);
    }

    @Override
    public Next run(Rendering rendering, Scope scope) {
        List<@Nullable Object> elements = Values.elements(over.value(rendering, scope));
        rendering.made(elements, elements.size());
        if (filter != null) {
            elements.removeIf(element -> {
                Scope own = new Scope(scope);
                TemplateParser.assign(own, names, element);
                return !Values.isTrue(filter.value(rendering, own));
            });
        }
        if (elements.isEmpty()) {
            return none.run(rendering, scope);
        }
        for (int i = 0; i < elements.size(); i++) {
            rendering.step();
            Scope own = new Scope(scope);
            TemplateParser.assign(own, names, elements.get(i));
            own.set("loop", counters(elements, i));
            if (body.run(rendering, own) == Next.BREAK) {
                break;
            }
        }
        return Next.GO_ON;
    }

    private static Map<String, @Nullable Object> counters(
            List<@Nullable Object> elements, int index) {
        int size = elements.size();
        Map<String, @Nullable Object> counters = new HashMap<>();
        counters.put("index", index + 1L);
        counters.put("index0", (long) index);
        counters.put("revindex", (long) size - index);
        counters.put("revindex0", size - index - 1L);
        counters.put("first", index == 0);
        counters.put("last", index == size - 1);
        counters.put("length", (long) size);
        counters.put("previtem", index == 0 ? Values.UNDEFINED : elements.get(index - 1));
        counters.put("nextitem", index == size - 1 ? Values.UNDEFINED : elements.get(index + 1));
        return counters;
    }
}
