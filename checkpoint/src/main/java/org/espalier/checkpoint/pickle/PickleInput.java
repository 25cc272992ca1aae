package org.espalier.checkpoint.pickle;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** Reads the operands of a pickle's instructions; every length is checked before anything is allocated for it. */
final class PickleInput {
    private static final ValueLayout.OfShort TWO =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt FOUR =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong EIGHT =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfDouble BIG_DOUBLE =
            ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    /** The longest line of a text instruction; the names of classes are far shorter. */
    private static final int LONGEST_LINE = 1 << 16;

    /** Beyond this the time to read a number grows faster than the file. */
    private static final int LONGEST_NUMBER = 256;

    private final MemorySegment content;
    private final long end;
    private long at;

    /** Reads from {@code start} up to {@code end}, both in bytes from the start of the content. */
    PickleInput(MemorySegment content, long start, long end) {
        this.content = content;
        this.at = start;
        this.end = end;
    }

    /** Where the next byte is read, from the start of the content. */
    long position() {
        return at;
    }

    int unsignedByte() {
        return content.get(ValueLayout.JAVA_BYTE, take(1)) & 0xff;
    }

    int unsignedShort() {
        return content.get(TWO, take(2)) & 0xffff;
    }

    int signedInt() {
        return content.get(FOUR, take(4));
    }

    long unsignedInt() {
        return content.get(FOUR, take(4)) & 0xffff_ffffL;
    }

    long signedLong() {
        return content.get(EIGHT, take(8));
    }

    double bigEndianDouble() {
        return content.get(BIG_DOUBLE, take(8));
    }

    /** Skips bytes. */
    void skip(long length) {
        take(length);
    }

    byte[] bytes(long length) {
        if (length > Integer.MAX_VALUE - 8) {
            throw tooLong(length);
        }
        return content.asSlice(take(length), length).toArray(ValueLayout.JAVA_BYTE);
    }

    String utf8(long length) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes(length)))
                    .toString();
        } catch (CharacterCodingException e) {
            PickleFault fault = PickleFault.damaged("has a text in its pickle that is no UTF-8");
            fault.initCause(e);
            throw fault;
        }
    }

    String latin1(long length) {
        return new String(bytes(length), StandardCharsets.ISO_8859_1);
    }

    /** A text up to the end of its line, without that. */
    String line() {
        long from = at;
        while (unsignedByte() != '\n') {
            if (at - from > LONGEST_LINE) {
                throw tooLong(at - from);
            }
        }
        long length = at - from - 1;
        at = from;
        String line = utf8(length);
        at++;
        return line;
    }

    /** A whole number of the given bytes, lowest first, in two's complement: a Long, or a BigInteger beyond 64 bits. */
    Object number(long length) {
        if (length > LONGEST_NUMBER) {
            throw tooLong(length);
        }
        byte[] bytes = bytes(length);
        for (int i = 0, j = bytes.length - 1; i < j; i++, j--) {
            byte low = bytes[i];
            bytes[i] = bytes[j];
            bytes[j] = low;
        }
        return narrowed(bytes.length == 0 ? BigInteger.ZERO : new BigInteger(bytes));
    }

    /** A whole number in decimal digits up to the end of the line. */
    Object decimal() {
        String line = line();
        String digits = line.endsWith("L") ? line.substring(0, line.length() - 1) : line;
        if (digits.length() > LONGEST_NUMBER) {
            throw tooLong(digits.length());
        }
        try {
            return narrowed(new BigInteger(digits));
        } catch (NumberFormatException e) {
            throw noNumber(line, e);
        }
    }

    /** A number in decimal notation up to the end of the line. */
    double decimalFraction() {
        String line = line();
        if (line.length() > LONGEST_NUMBER) {
            throw tooLong(line.length());
        }
        try {
            return Double.parseDouble(line);
        } catch (NumberFormatException e) {
            throw noNumber(line, e);
        }
    }

    private static Object narrowed(BigInteger number) {
        return number.bitLength() < Long.SIZE ? (Object) number.longValue() : number;
    }

    private long take(long length) {
        if (length < 0 || length > end - at) {
            throw PickleFault.damaged(
                    "has a pickle that ends where "
                            + Long.toUnsignedString(length)
                            + " more bytes are due");
        }
        long from = at;
        at += length;
        return from;
    }

    private static PickleFault tooLong(long length) {
        return PickleFault.damaged(
                "has a number or name of "
                        + Long.toUnsignedString(length)
                        + " bytes in its pickle");
    }

    private static PickleFault noNumber(String line, NumberFormatException cause) {
        PickleFault fault = PickleFault.damaged("has ", line, " for a number in its pickle");
        fault.initCause(cause);
        return fault;
    }
}
