package org.espalier.checkpoint;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The blank that SentencePiece writes before a text. The tokenizers library can write it only before every stretch
 * between two added tokens, so user-defined symbols would get one behind them that SentencePiece does not write;
 * therefore it is written here, before the library sees the text.
 *
 * @param mark what is written; empty for nothing
 * @param everywhere whether it is written behind special tokens too, as transformers' {@code legacy} tokenizers do
 * @param special the tokens that the text is cut at first
 */
record DummyPrefix(String mark, boolean everywhere, List<AddedToken> special) {
    static final DummyPrefix NONE = new DummyPrefix("", false, List.of());

    DummyPrefix {
        special = List.copyOf(special);
    }

    /** The text with its blanks. */
    String before(String text) {
        if (mark.isEmpty() || text.isEmpty()) {
            return text;
        }
        StringBuilder written = new StringBuilder(text.length() + 1);
        int at = 0;
        boolean fresh = true;
        while (at < text.length()) {
            AddedToken token = tokenAt(text, at);
            if (token == null) {
                if (fresh) {
                    written.append(mark);
                    fresh = false;
                }
                int next = nextToken(text, at + 1);
                written.append(text, at, next);
                at = next;
            } else {
                int end = at + token.content().length();
                while (token.rstrip()
                        && end < text.length()
                        && Character.isWhitespace(text.charAt(end))) {
                    end++;
                }
                written.append(text, at, end);
                at = end;
                fresh = everywhere;
            }
        }
        return written.toString();
    }

    private int nextToken(String text, int from) {
        int next = text.length();
        for (AddedToken token : special) {
            int found = text.indexOf(token.content(), from);
            if (found >= 0) {
                next = Math.min(next, found);
            }
        }
        return next;
    }

    /** The longest token that begins here. */
    private @Nullable AddedToken tokenAt(String text, int at) {
        AddedToken longest = null;
        for (AddedToken token : special) {
            boolean longer =
                    longest == null || token.content().length() > longest.content().length();
            if (longer && text.startsWith(token.content(), at)) {
                longest = token;
            }
        }
        return longest;
    }
}
