package org.espalier.core.number;

import java.math.BigDecimal;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Numbers in the one form that everybody reads alike: decimal digits, a point, an exponent. What some readers take for
 * another number is none here: {@code 010} (octal to some), {@code 0x10}, {@code 1_000}, {@code 1:30} (90 to some),
 * {@code 0,5}, {@code 50%}, {@code 0.5f}, {@code NaN}, and what no double holds.
 */
public final class PlainNumber {
    private static final Pattern WHOLE = Pattern.compile("[-+]?(?:0|[1-9][0-9]{0,17})");
    private static final Pattern REAL =
            Pattern.compile(
                    "[-+]?(?:(?:0|[1-9][0-9]*)(?:\\.[0-9]*)?|\\.[0-9]+)(?:[eE][-+]?[0-9]{1,9})?");
    private static final Pattern COMMA = Pattern.compile("([-+]?[0-9]*),([0-9]+)");
    private static final Pattern PERCENT = Pattern.compile("([0-9]{1,3}(?:[.,][0-9]{1,9})?)\\s*%");

    /** No number that means anything here is longer. */
    private static final int LONGEST = 64;

    private PlainNumber() {}

    /** A whole number of up to 18 digits; null where the text is none. */
    public static @Nullable Long whole(String text) {
        return WHOLE.matcher(text).matches() ? Long.valueOf(text) : null;
    }

    /** A finite number; null where the text is none, or one that a double can only hold as 0 or infinity. */
    public static @Nullable Double real(String text) {
        if (text.length() > LONGEST || !REAL.matcher(text).matches()) {
            return null;
        }
        double value = Double.parseDouble(text);
        boolean zero = text.split("[eE]", 2)[0].chars().noneMatch(c -> c >= '1' && c <= '9');
        return Double.isInfinite(value) || (value == 0 && !zero) ? null : value;
    }

    /** How to write what somebody meant as a number, as a clause that begins with a semicolon; empty where unclear. */
    public static String hint(String text) {
        String plain = text.strip();
        Matcher percent = PERCENT.matcher(plain);
        if (percent.matches()) {
            BigDecimal fraction =
                    new BigDecimal(percent.group(1).replace(',', '.')).movePointLeft(2);
            return "; for " + plain + " write " + fraction.stripTrailingZeros().toPlainString();
        }
        Matcher comma = COMMA.matcher(plain);
        if (plain.length() <= LONGEST && comma.matches()) {
            return "; with a decimal point that is " + comma.group(1) + "." + comma.group(2);
        }
        return "";
    }
}
