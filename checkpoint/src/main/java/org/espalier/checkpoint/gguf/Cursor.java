package org.espalier.checkpoint.gguf;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.espalier.core.UserError;

/** Reads little-endian values one after another and never beyond the end of the file. */
final class Cursor {
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** The reference reader's limit on the length of a string. */
    private static final long LONGEST_STRING = 1L << 30;

    private final String what;
    private final Path file;
    private final MemorySegment content;
    private long position;

    /** Starts at byte 0; {@code what} names the kind of file in messages. */
    Cursor(String what, Path file, MemorySegment content) {
        this.what = what;
        this.file = file;
        this.content = content;
    }

    long position() {
        return position;
    }

    long remaining() {
        return content.byteSize() - position;
    }

    byte i8(String part) {
        return content.get(ValueLayout.JAVA_BYTE, advance(1, part));
    }

    short i16(String part) {
        return content.get(SHORT, advance(2, part));
    }

    int i32(String part) {
        return content.get(INT, advance(4, part));
    }

    long i64(String part) {
        return content.get(LONG, advance(8, part));
    }

    float f32(String part) {
        return Float.intBitsToFloat(i32(part));
    }

    /** Bytes that come next; {@code count} is not negative. */
    byte[] bytes(long count, String part) {
        return content.asSlice(advance(count, part), count).toArray(ValueLayout.JAVA_BYTE);
    }

    /** Passes over bytes and returns where they begin. */
    long advance(long count, String part) {
        if (count > remaining()) {
            throw fault(
                    "ends at byte "
                            + content.byteSize()
                            + " in the middle of "
                            + part
                            + ", which needs "
                            + count
                            + " bytes from byte "
                            + position);
        }
        long start = position;
        position += count;
        return start;
    }

    /** A string of a strict 64-bit length; bytes that are not UTF-8 become U+FFFD. */
    String text(String part) {
        return GgufValue.decode(bytes(length(part), part));
    }

    /** A string that serves as a name: it must be UTF-8, so that no two names fall together. */
    String name(String part) {
        byte[] bytes = bytes(length(part), part);
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            throw fault("has " + part + " that is not valid UTF-8", e);
        }
    }

    private long length(String part) {
        long length = i64(part);
        if (length < 0 || length > LONGEST_STRING) {
            throw fault(
                    "declares "
                            + part
                            + " of "
                            + Long.toUnsignedString(length)
                            + " bytes, more than the "
                            + LONGEST_STRING
                            + " that are allowed");
        }
        return length;
    }

    UserError fault(String fault) {
        return new UserError(message(fault));
    }

    UserError fault(String fault, Exception cause) {
        return new UserError(message(fault), cause);
    }

    private String message(String fault) {
        return what
                + " "
                + file
                + " "
                + fault
                + "; the file is damaged or incomplete: copy or download it again";
    }
}
