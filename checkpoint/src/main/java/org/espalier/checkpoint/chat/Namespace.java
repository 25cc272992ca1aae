package org.espalier.checkpoint.chat;

import java.util.LinkedHashMap;
import org.jspecify.annotations.Nullable;

/** Variables that a loop can set for what comes after it. */
final class Namespace extends LinkedHashMap<String, @Nullable Object> {
    private static final long serialVersionUID = 1;
}
