package org.espalier.checkpoint.chat;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A function or macro. */
@FunctionalInterface
interface Callable {
    @Nullable Object call(
            Rendering rendering,
            List<@Nullable Object> arguments,
            Map<String, @Nullable Object> named);
}
