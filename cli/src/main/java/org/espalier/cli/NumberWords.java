package org.espalier.cli;

import org.espalier.core.number.PlainNumber;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.TypeConversionException;

/** Numbers of the command line, by the same rules as those of recipes: no value is read as another one. */
final class NumberWords {
    private NumberWords() {}

    /** Makes a command line and its commands read numbers so. */
    static void register(CommandLine line) {
        line.registerConverter(int.class, NumberWords::integer);
        line.registerConverter(Integer.class, NumberWords::integer);
        line.registerConverter(long.class, NumberWords::whole);
        line.registerConverter(Long.class, NumberWords::whole);
        line.registerConverter(double.class, NumberWords::real);
        line.registerConverter(Double.class, NumberWords::real);
    }

    private static Integer integer(String word) {
        long value = whole(word);
        if (value != (int) value) {
            throw new TypeConversionException("'" + word + "' is beyond any number that fits here");
        }
        return (int) value;
    }

    /** A seed may be any long, which has 19 digits. */
    private static Long whole(String word) {
        Long value = word.matches("[-+]?[1-9][0-9]{18}") ? parsed(word) : PlainNumber.whole(word);
        if (value == null) {
            throw new TypeConversionException(
                    "'"
                            + word
                            + "' is not a whole number in plain digits"
                            + PlainNumber.hint(word));
        }
        return value;
    }

    private static @Nullable Long parsed(String word) {
        try {
            return Long.valueOf(word);
        } catch (NumberFormatException e) {
            return null;
        }
    }

    private static Double real(String word) {
        Double value = PlainNumber.real(word);
        if (value == null) {
            throw new TypeConversionException(
                    "'" + word + "' is not a number" + PlainNumber.hint(word));
        }
        return value;
    }
}
