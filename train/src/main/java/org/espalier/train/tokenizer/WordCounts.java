package org.espalier.train.tokenizer;

import java.util.HashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Cuts texts as the ByteLevel pre-tokenizer does (its regular expression of GPT-2) and counts the pieces. Merges never
 * cross a piece, so the counts are all that training needs to see of a corpus.
 */
final class WordCounts {
    /** White space must be Unicode's, as in the reference implementation; Java's default is ASCII only. */
    private static final Pattern PIECE =
            Pattern.compile(
                    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
                    Pattern.UNICODE_CHARACTER_CLASS);

    private final Map<String, Long> counts = new HashMap<>();

    void add(String text) {
        Matcher matcher = PIECE.matcher(text);
        while (matcher.find()) {
            counts.merge(matcher.group(), 1L, Long::sum);
        }
    }

    boolean isEmpty() {
        return counts.isEmpty();
    }

    /** Each piece, spelled in the byte alphabet, with its count; in the order of the spelling. */
    SortedMap<String, Long> spelled() {
        SortedMap<String, Long> spelled = new TreeMap<>();
        counts.forEach((piece, count) -> spelled.put(ByteAlphabet.spell(piece), count));
        return spelled;
    }
}
