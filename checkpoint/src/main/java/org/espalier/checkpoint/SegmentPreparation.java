package org.espalier.checkpoint;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.espalier.checkpoint.sentencepiece.Normalizer;
import org.jspecify.annotations.Nullable;

/**
 * Cuts a text at its special tokens and prepares what lies between as SentencePiece does. A {@code legacy} tokenizer of
 * transformers writes the blank before every such stretch, others before the first only, and none where the text begins
 * with a special token.
 */
final class SegmentPreparation implements TextPreparation {
    private final Normalizer normalizer;
    private final boolean legacy;

    /** Tokens by their first character, the longest first. */
    private final Map<Character, List<AddedToken>> cuts = new HashMap<>();

    SegmentPreparation(Normalizer normalizer, Collection<AddedToken> cuts, boolean legacy) {
        this.normalizer = normalizer;
        this.legacy = legacy;
        for (AddedToken token : cuts) {
            this.cuts
                    .computeIfAbsent(token.content().charAt(0), first -> new ArrayList<>())
                    .add(token);
        }
        this.cuts
                .values()
                .forEach(tokens ->
                        tokens.sort(
                                Comparator.comparingInt(
                                                (AddedToken token) -> token.content().length())
                                        .reversed()));
    }

    @Override
    public String prepare(String text) {
        StringBuilder out = new StringBuilder(text.length() + 1);
        int from = 0;
        boolean first = true;
        for (int at = 0; at < text.length(); ) {
            AddedToken token = tokenAt(text, at);
            if (token == null) {
                at++;
                continue;
            }
            String before = text.substring(from, at);
            out.append(segment(token.lstrip() ? before.stripTrailing() : before, first));
            out.append(token.content());
            at += token.content().length();
            while (token.rstrip()
                    && at < text.length()
                    && Character.isWhitespace(text.charAt(at))) {
                at++;
            }
            from = at;
            first = false;
        }
        return out.append(segment(text.substring(from), first)).toString();
    }

    private String segment(String text, boolean first) {
        return text.isEmpty() ? "" : normalizer.normalize(text, first || legacy);
    }

    private @Nullable AddedToken tokenAt(String text, int at) {
        for (AddedToken token : cuts.getOrDefault(text.charAt(at), List.of())) {
            if (text.startsWith(token.content(), at)) {
                return token;
            }
        }
        return null;
    }
}
