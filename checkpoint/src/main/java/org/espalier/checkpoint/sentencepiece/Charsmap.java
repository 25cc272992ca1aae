package org.espalier.checkpoint.sentencepiece;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * The replacements of characters that a SentencePiece model is normalized with: a table of bytes, laid out as the double
 * array of darts-clone, and the replacements, each ended by a zero byte ({@code normalizer_spec.precompiled_charsmap}).
 */
public final class Charsmap {
    private static final int LABEL = 0x800000FF;
    private static final int VALUE = 0x7FFFFFFF;
    private static final int LEAF = 1 << 8;
    private static final int WIDE = 1 << 9;

    private final int[] units;
    private final byte[] texts;

    private Charsmap(int[] units, byte[] texts) {
        this.units = units;
        this.texts = texts;
    }

    /**
     * A replacement.
     *
     * @param length bytes that are replaced
     * @param text what replaces them
     */
    record Match(int length, String text) {}

    /**
     * Reads a table; nothing at all stands for no replacements.
     *
     * @throws IllegalArgumentException where it is damaged
     */
    public static Charsmap of(byte[] bytes) {
        if (bytes.length == 0) {
            return new Charsmap(new int[0], new byte[0]);
        }
        if (bytes.length < Integer.BYTES) {
            throw new IllegalArgumentException("no size");
        }
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        int size = buffer.getInt();
        if (size < Integer.BYTES || size % Integer.BYTES != 0 || size > buffer.remaining()) {
            throw new IllegalArgumentException("a size of " + size);
        }
        int[] units = new int[size / Integer.BYTES];
        buffer.slice().order(ByteOrder.LITTLE_ENDIAN).asIntBuffer().get(units);
        byte[] texts = new byte[buffer.remaining() - size];
        buffer.get(buffer.position() + size, texts);
        return new Charsmap(units, texts);
    }

    /**
     * Whether a reader that checks nothing stays inside this table whatever the text. The tokenizers library is one.
     *
     * @throws IllegalArgumentException where it is no table
     */
    public static boolean isSafe(byte[] bytes) {
        Charsmap map = of(bytes);
        if (map.isEmpty() || !isUtf8(map.texts)) {
            return false;
        }
        boolean[] seen = new boolean[map.units.length];
        Deque<Integer> left = new ArrayDeque<>();
        left.push(offset(map.units[0]));
        while (!left.isEmpty()) {
            int node = left.pop();
            // Any byte of a text may follow.
            if (node < 0 || (node | 0xFF) >= map.units.length) {
                return false;
            }
            for (int label = 1; label <= 0xFF; label++) {
                int child = node ^ label;
                int unit = map.units[child];
                if ((unit & LABEL) != label || seen[child]) {
                    continue;
                }
                seen[child] = true;
                int next = child ^ offset(unit);
                boolean leaf = (unit & LEAF) != 0;
                if (leaf && !(next >= 0 && next < map.units.length && map.hasText(next))) {
                    return false;
                }
                left.push(next);
            }
        }
        return true;
    }

    private boolean hasText(int node) {
        int from = units[node] & VALUE;
        return from < texts.length && (texts[from] & 0xC0) != 0x80;
    }

    private static boolean isUtf8(byte[] bytes) {
        try {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
            return true;
        } catch (CharacterCodingException e) {
            return false;
        }
    }

    /** Whether there are no replacements. */
    public boolean isEmpty() {
        return units.length == 0;
    }

    /**
     * The longest replacement that begins at a place and ends between characters; null for none. What points out of the
     * table is no replacement.
     */
    @Nullable Match longest(byte[] utf8, int from) {
        if (units.length == 0) {
            return null;
        }
        Match longest = null;
        int node = offset(units[0]);
        for (int at = from; at < utf8.length; at++) {
            int next = Byte.toUnsignedInt(utf8[at]);
            node ^= next;
            if (next == 0 || node < 0 || node >= units.length) {
                break;
            }
            int unit = units[node];
            if ((unit & LABEL) != next) {
                break;
            }
            node ^= offset(unit);
            boolean whole = at + 1 == utf8.length || (utf8[at + 1] & 0xC0) != 0x80;
            if ((unit & LEAF) != 0 && whole && node >= 0 && node < units.length) {
                String text = text(units[node] & VALUE);
                longest = text == null ? longest : new Match(at + 1 - from, text);
            }
        }
        return longest;
    }

    private static int offset(int unit) {
        return (unit >>> 10) << ((unit & WIDE) >>> 6);
    }

    private @Nullable String text(int from) {
        int end = from;
        while (end < texts.length && texts[end] != 0) {
            end++;
        }
        if (from >= texts.length) {
            return null;
        }
        try {
            CharBuffer text =
                    StandardCharsets.UTF_8
                            .newDecoder()
                            .decode(ByteBuffer.wrap(texts, from, end - from));
            return text.toString();
        } catch (CharacterCodingException e) {
            return null;
        }
    }
}
