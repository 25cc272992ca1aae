package org.espalier.checkpoint.gguf;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.espalier.checkpoint.Text;
import org.espalier.core.UserError;

/** Reads the key-value pairs of a GGUF file. */
final class MetadataReader {
    /** The reference reader's limit on the number of elements of an array. */
    private static final long LONGEST_ARRAY = 1L << 30;

    /** Heap bytes that an element may cost at worst: a short string in a list that is copied once. */
    private static final long HEAP_PER_ELEMENT = 80;

    private final Cursor cursor;
    private final long heapBytes;

    MetadataReader(Cursor cursor, long heapBytes) {
        this.cursor = cursor;
        this.heapBytes = heapBytes;
    }

    Map<String, GgufValue> read(long count) {
        Map<String, GgufValue> metadata = new LinkedHashMap<>();
        for (long i = 0; i < count; i++) {
            String key = cursor.name("the key of metadata entry " + i);
            if (key.isEmpty()) {
                throw cursor.fault("has an empty key at metadata entry " + i);
            }
            String part = "metadata entry " + Text.quote(key);
            GgufValue value = value(type(part), part);
            if (metadata.put(key, value) != null) {
                throw cursor.fault("has the metadata key " + Text.quote(key) + " twice");
            }
        }
        return metadata;
    }

    private GgufValueType type(String part) {
        int id = cursor.i32(part);
        GgufValueType type = GgufValueType.of(id);
        if (type == null) {
            throw cursor.fault("has the unknown value type " + id + " in " + part);
        }
        return type;
    }

    private GgufValue value(GgufValueType type, String part) {
        return switch (type) {
            case U8, I8, U16, I16, U32, I32, U64, I64 ->
                    new GgufValue.Whole(whole(type, part), type);
            case F32, F64 -> new GgufValue.Real(real(type, part), type);
            case BOOL -> new GgufValue.Flag(flag(part));
            case STRING -> new GgufValue.Text(cursor.text(part));
            case ARRAY -> array(part);
        };
    }

    private long whole(GgufValueType type, String part) {
        return switch (type) {
            case U8 -> Byte.toUnsignedLong(cursor.i8(part));
            case I8 -> cursor.i8(part);
            case U16 -> Short.toUnsignedLong(cursor.i16(part));
            case I16 -> cursor.i16(part);
            case U32 -> Integer.toUnsignedLong(cursor.i32(part));
            case I32 -> cursor.i32(part);
            case U64, I64 -> cursor.i64(part);
            case F32, BOOL, STRING, ARRAY, F64 -> throw new IllegalArgumentException(type.name());
        };
    }

    private double real(GgufValueType type, String part) {
        return type == GgufValueType.F32
                ? GgufValue.widen(cursor.f32(part))
                : Double.longBitsToDouble(cursor.i64(part));
    }

    private boolean flag(String part) {
        byte value = cursor.i8(part);
        if (value != 0 && value != 1) {
            throw cursor.fault("has the byte " + value + " for a true or false in " + part);
        }
        return value == 1;
    }

    private GgufValue array(String part) {
        GgufValueType type = type(part);
        if (type == GgufValueType.ARRAY) {
            throw cursor.fault("has an array of arrays in " + part + ", which the format refuses");
        }
        int count = count(type, part);
        return switch (type) {
            case U8, I8, U16, I16, U32, I32, U64, I64, BOOL -> {
                List<Long> values = new ArrayList<>(count);
                for (int i = 0; i < count; i++) {
                    values.add(
                            type == GgufValueType.BOOL
                                    ? (flag(part) ? 1L : 0L)
                                    : whole(type, part));
                }
                yield new GgufValue.Wholes(values, type);
            }
            case F32, F64 -> {
                List<Double> values = new ArrayList<>(count);
                for (int i = 0; i < count; i++) {
                    values.add(real(type, part));
                }
                yield new GgufValue.Reals(values, type);
            }
            case STRING -> {
                List<String> values = new ArrayList<>(count);
                for (int i = 0; i < count; i++) {
                    values.add(cursor.text(part));
                }
                yield new GgufValue.Texts(values);
            }
            case ARRAY -> throw new IllegalStateException("refused above");
        };
    }

    /** The length of an array, checked against the format, the file and the heap before anything is allocated. */
    private int count(GgufValueType type, String part) {
        long count = cursor.i64(part);
        if (count < 0 || count > LONGEST_ARRAY) {
            throw cursor.fault(
                    "declares an array of "
                            + Long.toUnsignedString(count)
                            + " elements in "
                            + part
                            + ", more than the "
                            + LONGEST_ARRAY
                            + " that are allowed");
        }
        if (count > cursor.remaining() / type.leastBytes()) {
            throw cursor.fault(
                    "declares an array of "
                            + count
                            + " elements in "
                            + part
                            + " but has only "
                            + cursor.remaining()
                            + " bytes left");
        }
        if (count * HEAP_PER_ELEMENT > heapBytes) {
            throw new UserError(
                    "an array of "
                            + count
                            + " elements in "
                            + part
                            + " may need "
                            + ((count * HEAP_PER_ELEMENT) >> 20)
                            + " MiB of heap where Java has "
                            + (heapBytes >> 20)
                            + "; start Java with a larger -Xmx");
        }
        return (int) count;
    }
}
