package org.espalier.train.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The 256 visible characters that stand for the 256 bytes in a byte-level tokenizer (GPT-2): bytes that print keep
 * their code point, the other 68 map to U+0100 onwards in byte order, so a space is U+0120 and a newline U+010A.
 */
final class ByteAlphabet {
    private static final char[] CHARACTER_OF_BYTE = characters();

    private ByteAlphabet() {}

    private static char[] characters() {
        char[] characters = new char[256];
        char next = 0x100;
        for (int value = 0; value < 256; value++) {
            boolean prints =
                    (value >= 33 && value <= 126) || (value >= 161 && value <= 172) || value >= 174;
            characters[value] = prints ? (char) value : next++;
        }
        return characters;
    }

    /** The text's UTF-8 bytes, each as its character. */
    static String spell(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        char[] spelled = new char[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            spelled[i] = CHARACTER_OF_BYTE[bytes[i] & 0xFF];
        }
        return new String(spelled);
    }

    /** All 256 characters as one-letter tokens in code point order, the order in which they get their ids. */
    static List<String> tokens() {
        return IntStream.range(0, 256)
                .mapToObj(value -> String.valueOf(CHARACTER_OF_BYTE[value]))
                .sorted()
                .toList();
    }
}
