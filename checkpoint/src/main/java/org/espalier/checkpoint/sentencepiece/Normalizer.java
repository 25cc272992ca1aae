package org.espalier.checkpoint.sentencepiece;

import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;

/**
 * Prepares a text as SentencePiece does before it cuts it ({@code normalizer::Normalizer::Normalize}): characters are
 * replaced, the longest replacement first; blanks are dropped, written as U+2581, and one is written before the text.
 * User-defined symbols stay as they are. The tokenizers library has parts of this, but replaces grapheme by grapheme and
 * starts anew behind every added token.
 */
public final class Normalizer {
    /** What stands for a blank. */
    public static final char MARK = '\u2581';

    private final SentencePieceModel.Rules rules;
    private final Set<String> symbols;
    private final Set<Character> symbolStarts = new HashSet<>();
    private final int longestSymbol;

    public Normalizer(SentencePieceModel model) {
        this.rules = model.rules();
        this.symbols = model.ids(SentencePieceModel.Type.USER_DEFINED).keySet();
        symbols.forEach(symbol -> symbolStarts.add(symbol.charAt(0)));
        this.longestSymbol = symbols.stream().mapToInt(String::length).max().orElse(0);
    }

    /** What a text is cut as; {@code prefix} says whether a blank may be written before it. */
    public String normalize(String text, boolean prefix) {
        String whole = withoutLoneSurrogates(text);
        Reader reader = new Reader(whole);
        String part = reader.next();
        if (rules.removesBlanks()) {
            while (part.equals(" ")) {
                part = reader.next();
            }
        }
        if (part.isEmpty() && reader.isAtEnd()) {
            return "";
        }
        String blank = String.valueOf(rules.escapesBlanks() ? MARK : ' ');
        boolean adds = prefix && rules.addsPrefix();
        StringBuilder out = new StringBuilder(whole.length() + 1);
        if (adds && !rules.asSuffix()) {
            out.append(blank);
        }
        boolean afterBlank = rules.removesBlanks();
        while (true) {
            String kept = afterBlank ? withoutBlanksBefore(part) : part;
            out.append(rules.escapesBlanks() ? kept.replace(' ', MARK) : kept);
            if (!kept.isEmpty()) {
                afterBlank = kept.endsWith(" ");
            }
            afterBlank &= rules.removesBlanks();
            if (reader.isAtEnd()) {
                break;
            }
            part = reader.next();
        }
        if (rules.removesBlanks()) {
            int end = out.length();
            while (end > 0 && out.charAt(end - 1) == blank.charAt(0)) {
                end--;
            }
            out.setLength(end);
        }
        if (adds && rules.asSuffix()) {
            out.append(blank);
        }
        return out.toString();
    }

    private static String withoutBlanksBefore(String part) {
        int from = 0;
        while (from < part.length() && part.charAt(from) == ' ') {
            from++;
        }
        return part.substring(from);
    }

    /** Walks over a text, replacement by replacement. */
    private final class Reader {
        private final String text;
        private final byte[] utf8;
        private int at;
        private int atByte;

        Reader(String text) {
            this.text = text;
            this.utf8 =
                    rules.charsmap().isEmpty()
                            ? new byte[0]
                            : text.getBytes(StandardCharsets.UTF_8);
        }

        boolean isAtEnd() {
            return at >= text.length();
        }

        String next() {
            if (isAtEnd()) {
                return "";
            }
            String symbol = symbol();
            if (!symbol.isEmpty()) {
                skip(symbol);
                return symbol;
            }
            Charsmap.Match match = rules.charsmap().longest(utf8, atByte);
            if (match != null) {
                String replaced = new String(utf8, atByte, match.length(), StandardCharsets.UTF_8);
                skip(replaced);
                return match.text();
            }
            String character = text.substring(at, text.offsetByCodePoints(at, 1));
            skip(character);
            return character;
        }

        private void skip(String part) {
            at += part.length();
            if (utf8.length > 0) {
                atByte += part.getBytes(StandardCharsets.UTF_8).length;
            }
        }

        private String symbol() {
            if (!symbolStarts.contains(text.charAt(at))) {
                return "";
            }
            for (int length = Math.min(longestSymbol, text.length() - at); length > 0; length--) {
                String candidate = text.substring(at, at + length);
                if (symbols.contains(candidate)) {
                    return candidate;
                }
            }
            return "";
        }
    }

    private static String withoutLoneSurrogates(String text) {
        StringBuilder out = null;
        for (int at = 0; at < text.length(); at++) {
            char c = text.charAt(at);
            boolean pair =
                    Character.isHighSurrogate(c)
                            && at + 1 < text.length()
                            && Character.isLowSurrogate(text.charAt(at + 1));
            if (pair) {
                at++;
            } else if (Character.isSurrogate(c)) {
                out = out == null ? new StringBuilder(text) : out;
                out.setCharAt(at, '\uFFFD');
            }
        }
        return out == null ? text : out.toString();
    }
}
