package org.espalier.core.recipe;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.espalier.core.UserError;
import org.jspecify.annotations.Nullable;

/**
 * Matrices that a recipe leaves dense: the key {@code protect}, a list of patterns. A pattern is a name with {@code *} (any
 * characters) and {@code ?} (one character), compared with the module's name in the checkpoint and with its short name,
 * {@code blocks.} block {@code .} kind; or a range of blocks, {@code blocks.0-1}, of which a kind may follow:
 * {@code blocks.0-1.down}. Blocks count from 0, and both ends belong to a range.
 *
 * @param patterns as they are written, in the order given
 */
public record Protection(List<String> patterns) {
    /** Nothing is protected. */
    public static final Protection NONE = new Protection(List.of());

    private static final Pattern RANGE =
            Pattern.compile("blocks\\.(\\d{1,6})(?:-(\\d{1,6}))?(?:\\.(.+))?");
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_.*?-]+");

    public Protection {
        patterns = List.copyOf(patterns);
        patterns.forEach(Protection::check);
    }

    public boolean isEmpty() {
        return patterns.isEmpty();
    }

    /**
     * The first pattern that fits a matrix, or null.
     *
     * @param name of its module in the checkpoint
     * @param block index of its block, from 0
     * @param kind what it does in the block: {@code q}, {@code down}, ...
     */
    public @Nullable String fitting(String name, int block, String kind) {
        return patterns.stream()
                .filter(pattern -> fits(pattern, name, block, kind))
                .findFirst()
                .orElse(null);
    }

    /** Whether one pattern fits a matrix. */
    public static boolean fits(String pattern, String name, int block, String kind) {
        Matcher range = RANGE.matcher(pattern);
        if (range.matches()) {
            int first = Integer.parseInt(range.group(1));
            int last = range.group(2) == null ? first : Integer.parseInt(range.group(2));
            String kinds = range.group(3);
            return block >= first
                    && block <= last
                    && (kinds == null || glob(kinds, kind) || glob("*." + kinds, name));
        }
        return glob(pattern, name) || glob(pattern, "blocks." + block + "." + kind);
    }

    /** Without backtracking beyond the last star, so that no pattern takes long. */
    private static boolean glob(String pattern, String text) {
        int at = 0;
        int next = 0;
        int star = -1;
        int retry = 0;
        while (at < text.length()) {
            char wanted = next < pattern.length() ? pattern.charAt(next) : '\0';
            if (wanted == '*') {
                star = next++;
                retry = at;
            } else if (wanted == '?' || wanted == text.charAt(at)) {
                next++;
                at++;
            } else if (star >= 0) {
                next = star + 1;
                at = ++retry;
            } else {
                return false;
            }
        }
        while (next < pattern.length() && pattern.charAt(next) == '*') {
            next++;
        }
        return next == pattern.length();
    }

    private static void check(String pattern) {
        if (!NAME.matcher(pattern).matches()) {
            throw new UserError(
                    "'"
                            + pattern
                            + "' is no pattern of names: write one such as *.down, blocks.0-1 or blocks.2.q");
        }
        Matcher range = RANGE.matcher(pattern);
        if (range.matches()
                && range.group(2) != null
                && Integer.parseInt(range.group(1)) > Integer.parseInt(range.group(2))) {
            throw new UserError("'" + pattern + "' ends before it begins");
        }
    }
}
