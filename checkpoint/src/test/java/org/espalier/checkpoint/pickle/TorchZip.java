package org.espalier.checkpoint.pickle;

import static org.espalier.checkpoint.pickle.PickleBytes.little;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;

/** Writes zips as {@code torch.save} does, every byte by hand: stored entries whose data begins at multiples of 64. */
public final class TorchZip {
    private static final int ALIGNMENT = 64;

    private final String folder;
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream directory = new ByteArrayOutputStream();
    private int entries;

    /** An archive whose entries lie in a folder. */
    public TorchZip(String folder) {
        this.folder = folder;
    }

    /** An archive with a pickle, as PyTorch 2 writes it. */
    public static TorchZip of(byte[] pickle) {
        return new TorchZip("pytorch_model")
                .entry("data.pkl", pickle)
                .entry("byteorder", "little".getBytes(StandardCharsets.US_ASCII))
                .entry(".format_version", "1".getBytes(StandardCharsets.US_ASCII))
                .entry(".storage_alignment", "64".getBytes(StandardCharsets.US_ASCII));
    }

    public TorchZip entry(String name, byte[] data) {
        return entry(name, data, 0, data.length);
    }

    /** An entry that claims a method and a size. */
    public TorchZip entry(String name, byte[] data, int method, long size) {
        byte[] path =
                (folder.isEmpty() ? name : folder + "/" + name).getBytes(StandardCharsets.UTF_8);
        int header = out.size();
        int padding = -(header + 30 + path.length + 4) & (ALIGNMENT - 1);
        CRC32 sum = new CRC32();
        sum.update(data);
        numbers(out, 4, 0x04034b50, 2, 0, 2, 0x800, 2, method, 4, 0);
        numbers(out, 4, sum.getValue(), 4, size, 4, size, 2, path.length, 2, padding + 4);
        out.writeBytes(path);
        numbers(out, 2, 0x4246, 2, padding);
        out.writeBytes("Z".repeat(padding).getBytes(StandardCharsets.US_ASCII));
        out.writeBytes(data);
        numbers(directory, 4, 0x02014b50, 2, 0, 2, 0, 2, 0x800, 2, method, 4, 0);
        numbers(directory, 4, sum.getValue(), 4, size, 4, size, 2, path.length);
        numbers(directory, 2, 0, 2, 0, 2, 0, 2, 0, 4, 0, 4, header);
        directory.writeBytes(path);
        entries++;
        return this;
    }

    /** The zip with the 64-bit end that PyTorch always writes. */
    public byte[] bytes() {
        entry("version", "3\n".getBytes(StandardCharsets.US_ASCII));
        int start = out.size();
        out.writeBytes(directory.toByteArray());
        int end = out.size();
        numbers(out, 4, 0x06064b50, 8, 44, 2, 0x31e, 2, 45, 4, 0, 4, 0, 8, entries, 8, entries);
        numbers(out, 8, directory.size(), 8, start);
        numbers(out, 4, 0x07064b50, 4, 0, 8, end, 4, 1);
        numbers(out, 4, 0x06054b50, 2, 0, 2, 0, 2, entries, 2, entries);
        numbers(out, 4, directory.size(), 4, start, 2, 0);
        return out.toByteArray();
    }

    /** Pairs of a count of bytes and a number. */
    private static void numbers(ByteArrayOutputStream target, long... pairs) {
        for (int i = 0; i < pairs.length; i += 2) {
            target.writeBytes(little((int) pairs[i], pairs[i + 1]));
        }
    }
}
