package org.espalier.checkpoint.gguf;

import java.nio.charset.StandardCharsets;
import java.util.List;

/** A value of a GGUF file's metadata. Integers of all widths are one kind, and so are both widths of reals. */
public sealed interface GgufValue {
    /**
     * An integer.
     *
     * @param value as written; of an unsigned 64-bit integer, its bits
     * @param type the width and sign in the file
     */
    record Whole(long value, GgufValueType type) implements GgufValue {}

    /**
     * A floating-point number.
     *
     * @param value the number; of a float32, the double that has the same shortest decimal form, so that 1e-5 stays 1e-5
     * @param type float32 or float64
     */
    record Real(double value, GgufValueType type) implements GgufValue {}

    /** True or false. */
    record Flag(boolean value) implements GgufValue {}

    /** A string. */
    record Text(String value) implements GgufValue {}

    /** Integers, widened; booleans as 0 and 1. */
    record Wholes(List<Long> values, GgufValueType type) implements GgufValue {
        public Wholes {
            values = List.copyOf(values);
        }
    }

    /** Floating-point numbers, each as in {@link Real}. */
    record Reals(List<Double> values, GgufValueType type) implements GgufValue {
        public Reals {
            values = List.copyOf(values);
        }
    }

    /** Strings. */
    record Texts(List<String> values) implements GgufValue {
        public Texts {
            values = List.copyOf(values);
        }
    }

    /** The double with the same shortest decimal form as a float32. */
    static double widen(float value) {
        return Float.isFinite(value) ? Double.parseDouble(Float.toString(value)) : value;
    }

    /** Decodes UTF-8; bytes that are none become U+FFFD. */
    static String decode(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
