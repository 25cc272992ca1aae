package org.espalier.checkpoint.sentencepiece;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/** Builds the table of characters that {@link Charsmap} reads, plainly: every node gets 256 units of its own. */
final class DoubleArray {
    private static final int BLOCK = 256;

    private final TreeMap<Integer, DoubleArray> children = new TreeMap<>();
    private int value = -1;

    private DoubleArray() {}

    /** The table for these replacements. */
    static byte[] of(Map<String, String> replacements) {
        ByteArrayOutputStream texts = new ByteArrayOutputStream();
        DoubleArray root = new DoubleArray();
        replacements.forEach((from, to) -> {
            root.put(from.getBytes(StandardCharsets.UTF_8), texts.size());
            texts.writeBytes(to.getBytes(StandardCharsets.UTF_8));
            texts.write(0);
        });
        int[] units = new int[BLOCK * (1 + root.count())];
        Arrays.fill(units, 0x80000000);
        root.lay(units, 0, new int[] {1});
        ByteBuffer buffer =
                ByteBuffer.allocate(4 + 4 * units.length + texts.size())
                        .order(ByteOrder.LITTLE_ENDIAN);
        buffer.putInt(4 * units.length);
        for (int unit : units) {
            buffer.putInt(unit);
        }
        return buffer.put(texts.toByteArray()).array();
    }

    private void put(byte[] key, int at) {
        DoubleArray node = this;
        for (byte part : key) {
            node =
                    node.children.computeIfAbsent(
                            Byte.toUnsignedInt(part), label -> new DoubleArray());
        }
        node.value = at;
    }

    private int count() {
        return 1 + children.values().stream().mapToInt(DoubleArray::count).sum();
    }

    /** Children of the node at {@code place} lie at {@code base ^ label}; a value lies at {@code base}. */
    private void lay(int[] units, int place, int[] next) {
        int base = BLOCK * next[0]++;
        // The lowest bits of a base are 0 and those of a place are its label, so the exclusive or
        // is exact.
        int offset = base ^ place;
        int label = units[place] & 0xFF;
        boolean wide = offset >= 1 << 21;
        units[place] =
                (wide ? (offset >> 8) << 10 | 1 << 9 : offset << 10)
                        | (value >= 0 ? 1 << 8 : 0)
                        | label;
        if (value >= 0) {
            units[base] = value | 0x80000000;
        }
        children.forEach((part, child) -> {
            units[base ^ part] = part;
            child.lay(units, base ^ part, next);
        });
    }
}
