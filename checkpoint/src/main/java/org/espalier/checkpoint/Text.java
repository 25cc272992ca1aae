package org.espalier.checkpoint;

/** Words of strangers, made fit for a message of one line. */
public final class Text {
    private static final int LONGEST = 120;

    private Text() {}

    /** The text in quotes, without control characters, shortened where it is long. */
    public static String quote(String text) {
        return "'" + line(text) + "'";
    }

    /** The text with U+FFFD for each half of a surrogate pair that stands alone: no tokenizer can take it. */
    static String withoutLoneSurrogates(String text) {
        StringBuilder mended = null;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (Character.isHighSurrogate(c)
                    && i + 1 < text.length()
                    && Character.isLowSurrogate(text.charAt(i + 1))) {
                i++;
            } else if (Character.isSurrogate(c)) {
                mended = mended == null ? new StringBuilder(text) : mended;
                mended.setCharAt(i, '\ufffd');
            }
        }
        return mended == null ? text : mended.toString();
    }

    /** The text on one line, shortened where it is long. */
    public static String line(String text) {
        StringBuilder line = new StringBuilder();
        int count = Math.min(text.length(), LONGEST);
        for (int i = 0; i < count; i++) {
            char c = text.charAt(i);
            boolean printable = !Character.isISOControl(c) && c != '\u2028' && c != '\u2029';
            line.append(printable ? c : '?');
        }
        return text.length() > LONGEST ? line.append("...").toString() : line.toString();
    }
}
