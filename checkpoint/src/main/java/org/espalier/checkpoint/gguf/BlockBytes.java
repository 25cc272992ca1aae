package org.espalier.checkpoint.gguf;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** What the readers of blocks take from their bytes. */
final class BlockBytes {
    static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfInt INT =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Of the values that are made, in the order of the machine. */
    static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private BlockBytes() {}

    static float half(MemorySegment source, long at) {
        return Float.float16ToFloat(source.get(SHORT, at));
    }

    static int unsigned(MemorySegment source, long at) {
        return Byte.toUnsignedInt(source.get(ValueLayout.JAVA_BYTE, at));
    }

    static byte signed(MemorySegment source, long at) {
        return source.get(ValueLayout.JAVA_BYTE, at);
    }
}
