package org.espalier.audit.report;

import java.util.Locale;

/** Small pieces of HTML: escaped text, and figures as people read them. */
final class Html {
    private Html() {}

    /** Text that may have come from anywhere, safe between tags and in quoted attributes. */
    static String escape(String text) {
        StringBuilder safe = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '&' -> safe.append("&amp;");
                case '<' -> safe.append("&lt;");
                case '>' -> safe.append("&gt;");
                case '"' -> safe.append("&quot;");
                case '\'' -> safe.append("&#39;");
                default -> safe.append(c);
            }
        }
        return safe.toString();
    }

    /** {@code <tag>text</tag>} with the text escaped. */
    static String element(String tag, String text) {
        return "<" + tag + ">" + escape(text) + "</" + tag + ">";
    }

    /** A fraction as a percentage with one decimal. */
    static String percent(double fraction) {
        return format("%.1f %%", fraction * 100);
    }

    /** Three or four significant digits, plain where that is readable. */
    static String number(double value) {
        double size = Math.abs(value);
        if (value == 0) {
            return "0";
        }
        if (!Double.isFinite(value)) {
            return Double.toString(value);
        }
        if (size >= 1e6 || size < 1e-3) {
            return format("%.2e", value);
        }
        int decimals = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 1 ? 2 : size >= 0.1 ? 3 : 4;
        return format("%." + decimals + "f", value);
    }

    /** A count with its thousands apart. */
    static String count(long value) {
        return format("%,d", value).replace(',', ' ');
    }

    /** A size in bytes, kB, MB or GB. */
    static String bytes(long bytes) {
        if (bytes < 1000) {
            return bytes + " bytes";
        }
        double value = bytes;
        String unit = "";
        for (String next : new String[] {"kB", "MB", "GB", "TB"}) {
            if (value < 999.95) {
                break;
            }
            value /= 1000;
            unit = next;
        }
        return format(value < 9.995 ? "%.2f %s" : "%.1f %s", value, unit);
    }

    /** A coordinate of a drawing. */
    static String coordinate(double value) {
        String text = format("%.1f", value);
        return text.endsWith(".0") ? text.substring(0, text.length() - 2) : text;
    }

    /** {@link String#format} with a decimal point wherever the program runs. */
    @SuppressWarnings("AnnotateFormatMethod") // the annotation would be the only use of its library
    static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }
}
