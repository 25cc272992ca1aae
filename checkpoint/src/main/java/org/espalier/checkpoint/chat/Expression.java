package org.espalier.checkpoint.chat;

import org.jspecify.annotations.Nullable;

/** What has a value: a string, number, truth, list, map, function, null for none, or {@link Values#UNDEFINED}. */
@FunctionalInterface
interface Expression {
    @Nullable Object value(Rendering rendering, Scope scope);
}
