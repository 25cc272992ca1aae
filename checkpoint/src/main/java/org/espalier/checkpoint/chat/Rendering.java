package org.espalier.checkpoint.chat;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One writing of a template: what was written, and what it may still cost. Every step is counted, so none goes on for ever. */
final class Rendering {
    private static final long MOST_STEPS = 5_000_000;
    private static final int MOST_CHARACTERS = 1 << 22;
    private static final int DEEPEST = 60;

    /** Characters that cost as much as a step. */
    private static final int CHARACTERS_PER_STEP = 16;

    private final StringBuilder text = new StringBuilder();
    private long steps;
    private int depth;

    /** Counts a step. */
    void step() {
        charge(1);
    }

    /** Counts the reading of a value from one end to the other. */
    void read(@Nullable Object value) {
        int size =
                switch (value) {
                    case String read -> read.length();
                    case List<?> list -> list.size();
                    case Map<?, ?> map -> map.size();
                    case null, default -> 0;
                };
        charge(1 + size / CHARACTERS_PER_STEP);
    }

    /** Counts the making of a string or list. */
    <T> T made(T value, int size) {
        if (size > MOST_CHARACTERS) {
            throw new TemplateRefusal("it makes a value that is too long");
        }
        charge(1 + size / CHARACTERS_PER_STEP);
        return value;
    }

    private void charge(long more) {
        steps += more;
        if (steps > MOST_STEPS) {
            throw new TemplateRefusal("it takes too long");
        }
    }

    void write(String part) {
        made(
                part,
                text.length() + part.length() > MOST_CHARACTERS
                        ? Integer.MAX_VALUE
                        : part.length());
        text.append(part);
    }

    /** Goes into a macro. */
    void enter() {
        if (++depth > DEEPEST) {
            throw new TemplateRefusal("its macros call each other too deeply");
        }
    }

    void leave() {
        depth--;
    }

    /** Where the text ends now. */
    int mark() {
        return text.length();
    }

    /** Takes back what was written after a mark. */
    String takeFrom(int mark) {
        String part = text.substring(mark);
        text.setLength(mark);
        return part;
    }
}
