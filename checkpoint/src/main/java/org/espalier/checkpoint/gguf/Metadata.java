package org.espalier.checkpoint.gguf;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.espalier.checkpoint.Text;
import org.espalier.core.UserError;
import org.jspecify.annotations.Nullable;

/**
 * Typed access to a file's metadata; a missing or mistyped value is a {@link UserError} that names the key.
 *
 * @param file the file, for messages
 * @param values the entries
 * @param read the keys that were asked for
 */
record Metadata(Path file, Map<String, GgufValue> values, Set<String> read) {
    Metadata(Path file, Map<String, GgufValue> values) {
        this(file, values, ConcurrentHashMap.newKeySet());
    }

    boolean has(String key) {
        return get(key) != null;
    }

    /** The keys that nobody has asked for, in the order of the file. */
    List<String> unread() {
        return values.keySet().stream().filter(key -> !read.contains(key)).toList();
    }

    private @Nullable GgufValue get(String key) {
        read.add(key);
        return values.get(key);
    }

    String text(String key) {
        return required(key, optionalText(key));
    }

    @Nullable String optionalText(String key) {
        return switch (get(key)) {
            case null -> null;
            case GgufValue.Text text -> text.value();
            default -> throw wrong(key, "a text");
        };
    }

    long whole(String key) {
        return required(key, optionalWhole(key));
    }

    /** An integer; a list of integers that are all the same counts as one. */
    @Nullable Long optionalWhole(String key) {
        return switch (get(key)) {
            case null -> null;
            case GgufValue.Whole whole -> whole.value();
            case GgufValue.Wholes list -> same(key, list.values());
            default -> throw wrong(key, "an integer");
        };
    }

    private Long same(String key, List<Long> values) {
        if (values.stream().distinct().count() != 1) {
            throw new UserError(
                    file
                            + " has a "
                            + Text.quote(key)
                            + " that differs between blocks; only blocks of one shape can be opened");
        }
        return values.getFirst();
    }

    double real(String key) {
        return required(key, optionalReal(key));
    }

    @Nullable Double optionalReal(String key) {
        return switch (get(key)) {
            case null -> null;
            case GgufValue.Real real -> real.value();
            default -> throw wrong(key, "a floating-point number");
        };
    }

    boolean flag(String key, boolean fallback) {
        return switch (get(key)) {
            case null -> fallback;
            case GgufValue.Flag flag -> flag.value();
            default -> throw wrong(key, "true or false");
        };
    }

    List<String> texts(String key) {
        return switch (get(key)) {
            case null -> throw missing(key);
            case GgufValue.Texts texts -> texts.values();
            default -> throw wrong(key, "a list of texts");
        };
    }

    List<Long> wholes(String key) {
        return switch (get(key)) {
            case null -> throw missing(key);
            case GgufValue.Wholes wholes -> wholes.values();
            default -> throw wrong(key, "a list of integers");
        };
    }

    List<Double> reals(String key) {
        return switch (get(key)) {
            case null -> throw missing(key);
            case GgufValue.Reals reals -> reals.values();
            default -> throw wrong(key, "a list of floating-point numbers");
        };
    }

    private <T> T required(String key, @Nullable T value) {
        if (value == null) {
            throw missing(key);
        }
        return value;
    }

    private UserError missing(String key) {
        return new UserError(
                file + " lacks the metadata " + Text.quote(key) + "; get the model again");
    }

    private UserError wrong(String key, String expected) {
        return new UserError(
                file
                        + " has metadata "
                        + Text.quote(key)
                        + " that is not "
                        + expected
                        + "; get the model again");
    }
}
