package org.espalier.audit.language;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.ArrayList;
import java.util.List;
import org.espalier.core.UserError;
import org.jspecify.annotations.Nullable;

/**
 * How a perplexity was measured; two figures can be compared only if their protocols are equal.
 *
 * @param text name of the text file
 * @param textSha256 checksum of its bytes, as they were read
 * @param textBytes how many bytes the checksum is of, where the file goes on after them and was read no further; null
 *     where it is of the whole file
 * @param window tokens read at once
 * @param stride tokens between the starts of two windows; equal to {@code window} if they do not overlap
 * @param limit number of windows read at most; 0 for all
 * @param beginning special tokens before the text: {@code bos} if the tokenizer puts one before the whole text (never
 *     before each window), {@code none}, or {@code as given} for files of token ids
 * @param tail whether the shorter window at the end counts: {@code dropped} for words, {@code kept} for token ids
 */
public record Protocol(
        String text,
        String textSha256,
        @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable Long textBytes,
        int window,
        int stride,
        int limit,
        String beginning,
        String tail) {
    /** Cuts the sequences of the text into the windows of this protocol. */
    public List<Window> windows(List<long[]> sequences) {
        List<Window> windows = new ArrayList<>();
        for (long[] sequence : sequences) {
            windows.addAll(Window.cut(sequence, window, stride, tail.equals("kept")));
        }
        if (windows.isEmpty()) {
            throw new UserError(text + " has fewer than two tokens: nothing can be predicted");
        }
        return limit > 0 && limit < windows.size() ? windows.subList(0, limit) : windows;
    }
}
