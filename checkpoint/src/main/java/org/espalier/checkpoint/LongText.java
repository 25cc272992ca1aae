package org.espalier.checkpoint;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Encodes a text piece by piece. The tokenizers library keeps some hundred bytes for each token until a text is done,
 * in native memory and in 32-bit sizes, and ends the process where that goes wrong; a piece stays far below.
 *
 * <p>A text up to {@link #WHOLE} characters is encoded at once. A longer one is cut where the tokens of the surroundings
 * do not depend on the cut: a place is tried by encoding what stands around it whole and in two halves. Pieces after the
 * first have a short word in front, of which the tokens are dropped again, as many tokenizers treat the beginning of a
 * text in another way than its middle. A run of one character that is longer than a piece, without a line or a word in it,
 * may have a token more at each cut.
 */
final class LongText {
    /** Characters that are encoded at once. */
    static final int WHOLE = 1 << 21;

    /** Characters of a piece of a longer text. */
    private static final int PIECE = 1 << 18;

    /** Characters on each side of a place that are encoded to try it. */
    private static final int AROUND = 512;

    /** Places that are tried of each sort. */
    private static final int TRIES = 32;

    private static final List<String> FRONTS = List.of("\n", "a");

    /** Turns a piece into ids, without the special tokens that begin or end a text. */
    @FunctionalInterface
    interface Encoder {
        long[] encode(String text);
    }

    /** The end of a piece, and what stands in front of the next. */
    private record Cut(int end, String front) {}

    private final String text;
    private final Encoder encoder;
    private final int piece;
    private final Map<String, long[]> fronts = new HashMap<>();

    private LongText(String text, Encoder encoder, int piece) {
        this.text = text;
        this.encoder = encoder;
        this.piece = piece;
        FRONTS.forEach(front -> fronts.put(front, encoder.encode(front)));
    }

    /** The first ids of a text, at least {@code enough} of them where it has so many. */
    static long[] encode(String text, Encoder encoder, long enough) {
        return encode(text, encoder, enough, PIECE);
    }

    /** With pieces of so many characters. */
    static long[] encode(String text, Encoder encoder, long enough, int piece) {
        return new LongText(text, encoder, piece).encode(enough);
    }

    private long[] encode(long enough) {
        List<long[]> pieces = new ArrayList<>();
        long count = 0;
        int start = 0;
        String front = "";
        while (start < text.length() && count < enough) {
            Cut cut = cut(start);
            long[] ids = encodeAfter(front, text.substring(start, cut.end()));
            pieces.add(ids);
            count += ids.length;
            start = cut.end();
            front = cut.front();
        }
        long[] all = new long[Math.toIntExact(count)];
        int at = 0;
        for (long[] ids : pieces) {
            System.arraycopy(ids, 0, all, at, ids.length);
            at += ids.length;
        }
        return all;
    }

    /** The ids of a piece with something in front, without the ids of that. */
    private long[] encodeAfter(String front, String part) {
        long[] ids = encoder.encode(front + part);
        return front.isEmpty() ? ids : without(ids, fronts.getOrDefault(front, new long[0]));
    }

    private static long[] without(long[] ids, long[] first) {
        return Arrays.copyOfRange(ids, Math.min(first.length, ids.length), ids.length);
    }

    /** The end of the piece that begins here: after a line, else before a word, else anywhere. */
    private Cut cut(int start) {
        int from = start + piece;
        if (text.length() - from < piece / 2) {
            return new Cut(text.length(), "");
        }
        int to = Math.min(text.length() - 1, from + piece / 2);
        for (Place place : Place.values()) {
            int tries = 0;
            for (int end = from; end < to && tries < TRIES; end++) {
                if (place.isAt(text, end)) {
                    tries++;
                    for (String front : FRONTS) {
                        if (isFree(end, front)) {
                            return new Cut(end, front);
                        }
                    }
                }
            }
        }
        return new Cut(Place.ANYWHERE.isAt(text, from) ? from : from + 1, FRONTS.getFirst());
    }

    /** Whether the tokens around a place are those of its two sides. */
    private boolean isFree(int place, String front) {
        int from = whole(Math.max(0, place - AROUND));
        int to = whole(Math.min(text.length(), place + AROUND));
        long[] left = encoder.encode(text.substring(from, place));
        long[] right = encoder.encode(front + text.substring(place, to));
        long[] first = fronts.getOrDefault(front, new long[0]);
        if (!startsWith(right, first)) {
            return false;
        }
        long[] both = encoder.encode(text.substring(from, to));
        return both.length == left.length + right.length - first.length
                && startsWith(both, left)
                && Arrays.equals(without(both, left), without(right, first));
    }

    private int whole(int place) {
        return Place.ANYWHERE.isAt(text, place) ? place : place - 1;
    }

    private static boolean startsWith(long[] ids, long[] first) {
        return ids.length >= first.length
                && Arrays.equals(ids, 0, first.length, first, 0, first.length);
    }

    private enum Place {
        AFTER_A_LINE {
            @Override
            boolean isAt(String text, int place) {
                return text.charAt(place - 1) == '\n'
                        && !Character.isWhitespace(text.charAt(place));
            }
        },
        BEFORE_A_WORD {
            @Override
            boolean isAt(String text, int place) {
                return text.charAt(place) == ' ' && !Character.isWhitespace(text.charAt(place - 1));
            }
        },
        ANYWHERE {
            @Override
            boolean isAt(String text, int place) {
                return place == 0
                        || place >= text.length()
                        || !Character.isLowSurrogate(text.charAt(place));
            }
        };

        abstract boolean isAt(String text, int place);
    }
}
