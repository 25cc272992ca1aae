package org.espalier.network.text;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;

/** How the characters of a text are stored: by its byte-order mark, or by where its zero bytes stand. */
final class Encodings {
    private static final Charset UTF_32LE = Charset.forName("UTF-32LE");
    private static final Charset UTF_32BE = Charset.forName("UTF-32BE");

    /** Bytes that are looked at. */
    private static final int LOOKED_AT = 4096;

    private static final int RARE = 8;

    private Encodings() {}

    /**
     * An encoding.
     *
     * @param charset its character set
     * @param mark bytes of its mark at the beginning; 0 where it has none
     */
    record Encoding(Charset charset, int mark) {}

    /**
     * The encoding of a text that begins like this. Without a mark it is UTF-16 or UTF-32 only where the zero bytes leave
     * no doubt: Latin letters have one (or three) beside each, on the same side. Everything else is UTF-8.
     */
    static Encoding of(byte[] head) {
        if (starts(head, 0xFF, 0xFE, 0, 0)) {
            return new Encoding(UTF_32LE, 4);
        }
        if (starts(head, 0, 0, 0xFE, 0xFF)) {
            return new Encoding(UTF_32BE, 4);
        }
        if (starts(head, 0xFF, 0xFE)) {
            return new Encoding(StandardCharsets.UTF_16LE, 2);
        }
        if (starts(head, 0xFE, 0xFF)) {
            return new Encoding(StandardCharsets.UTF_16BE, 2);
        }
        if (starts(head, 0xEF, 0xBB, 0xBF)) {
            return new Encoding(StandardCharsets.UTF_8, 3);
        }
        return new Encoding(byZeros(head), 0);
    }

    private static Charset byZeros(byte[] head) {
        // Zero bytes at each place of a group of four.
        int[] zeros = new int[4];
        int groups = Math.min(head.length, LOOKED_AT) / 4;
        for (int i = 0; i < groups * 4; i++) {
            zeros[i % 4] += head[i] == 0 ? 1 : 0;
        }
        if (groups == 0) {
            return StandardCharsets.UTF_8;
        }
        if (zeros[3] == groups && few(zeros[0], groups) && zeros[1] + zeros[2] > groups) {
            return UTF_32LE;
        }
        if (zeros[0] == groups && few(zeros[3], groups) && zeros[1] + zeros[2] > groups) {
            return UTF_32BE;
        }
        int even = zeros[0] + zeros[2];
        int odd = zeros[1] + zeros[3];
        if (odd > groups && few(even, odd)) {
            return StandardCharsets.UTF_16LE;
        }
        if (even > groups && few(odd, even)) {
            return StandardCharsets.UTF_16BE;
        }
        return StandardCharsets.UTF_8;
    }

    /** Rare letters have a zero byte where Latin ones have none. */
    private static boolean few(int zeros, int others) {
        return zeros * RARE <= others;
    }

    private static boolean starts(byte[] head, int... bytes) {
        if (head.length < bytes.length) {
            return false;
        }
        for (int i = 0; i < bytes.length; i++) {
            if ((head[i] & 0xff) != bytes[i]) {
                return false;
            }
        }
        return true;
    }
}
