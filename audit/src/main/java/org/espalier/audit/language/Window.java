package org.espalier.audit.language;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A stretch of tokens that is read at once, and which of its tokens count as predicted.
 *
 * @param tokens token ids, at least two
 * @param firstCounted index of the first token whose prediction counts, at least 1: the first token of a window has no
 *     context, and where windows overlap only new tokens count
 */
public record Window(List<Long> tokens, int firstCounted) {
    public Window {
        tokens = List.copyOf(tokens);
        if (firstCounted < 1 || firstCounted >= tokens.size()) {
            throw new IllegalArgumentException(
                    "a window of "
                            + tokens.size()
                            + " tokens cannot count from token "
                            + firstCounted);
        }
    }

    /** Number of predictions that count. */
    public int predictions() {
        return tokens.size() - firstCounted;
    }

    /**
     * Cuts one sequence into windows.
     *
     * @param ids token ids
     * @param length tokens per window, at least 2
     * @param stride tokens between the starts of two windows, in [1, length]
     * @param keepTail whether the shorter window at the end is read too; the pruning papers drop it
     * @return no window if there is nothing to predict; a sequence shorter than one window is one window
     */
    public static List<Window> cut(long[] ids, int length, int stride, boolean keepTail) {
        if (length < 2 || stride < 1 || stride > length) {
            throw new IllegalArgumentException(
                    "windows of " + length + " tokens at a stride of " + stride);
        }
        List<Window> windows = new ArrayList<>();
        int counted = 0;
        for (int start = 0; counted < ids.length; start += stride) {
            int end = Math.min(ids.length, start + length);
            boolean whole = end - start == length;
            int firstCounted = Math.max(1, counted - start);
            if ((whole || keepTail || start == 0) && firstCounted < end - start) {
                windows.add(new Window(boxed(ids, start, end), firstCounted));
            }
            counted = end;
        }
        return List.copyOf(windows);
    }

    private static List<Long> boxed(long[] ids, int start, int end) {
        return Arrays.stream(ids, start, end).boxed().toList();
    }
}
