package org.espalier.checkpoint.pickle;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Writes pickles instruction by instruction, right and wrong ones, as {@code torch.save} lays them out. */
public final class PickleBytes {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    /** A pickle of protocol 2. */
    public PickleBytes() {
        bytes(0x80, 2);
    }

    /** Bytes as they are. */
    public PickleBytes bytes(int... values) {
        for (int value : values) {
            out.write(value);
        }
        return this;
    }

    /** Letters as they are. */
    public PickleBytes raw(String letters) {
        out.writeBytes(letters.getBytes(StandardCharsets.UTF_8));
        return this;
    }

    public PickleBytes global(String module, String name) {
        return raw("c" + module + "\n" + name + "\n");
    }

    public PickleBytes text(String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        raw("X");
        out.writeBytes(little(4, utf8.length));
        out.writeBytes(utf8);
        return this;
    }

    /** A whole number of 64 bits. */
    public PickleBytes number(long number) {
        bytes(0x8a, 8);
        out.writeBytes(little(8, number));
        return this;
    }

    /** A tuple of whole numbers. */
    public PickleBytes tuple(long... numbers) {
        raw("(");
        for (long number : numbers) {
            number(number);
        }
        return raw("t");
    }

    /** The name and the view of a tensor, the two things that {@code u} adds to a dict. */
    public PickleBytes tensor(
            String name, String storage, String key, long elements, long offset, long[]... view) {
        text(name).global("torch._utils", "_rebuild_tensor_v2").raw("(");
        raw("(").text("storage").global("torch", storage).text(key).text("cpu").number(elements);
        raw("tQ").number(offset).tuple(view[0]).tuple(view[1]).bytes(0x89);
        return orderedDict().raw("tR");
    }

    /** An empty {@code OrderedDict}. */
    public PickleBytes orderedDict() {
        return global("collections", "OrderedDict").raw(")R");
    }

    /** The bytes, with the instruction that ends them. */
    public byte[] end() {
        return raw(".").out.toByteArray();
    }

    /** Bytes of a number, lowest first. */
    static byte[] little(int count, long number) {
        byte[] eight =
                ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(number).array();
        return java.util.Arrays.copyOf(eight, count);
    }
}
