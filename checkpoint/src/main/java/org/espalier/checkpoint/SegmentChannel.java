package org.espalier.checkpoint;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import java.util.zip.CRC32C;

/** A file that memory of any length is written to and read from, at any place, by many threads. */
public final class SegmentChannel implements AutoCloseable {
    /** A byte buffer cannot span more than 2 GiB. */
    private static final int CHUNK = 1 << 28;

    private final FileChannel channel;
    private volatile boolean unforced;

    private SegmentChannel(FileChannel channel) {
        this.channel = channel;
    }

    /** Opens a file, or makes it. */
    public static SegmentChannel open(Path file) throws IOException {
        return new SegmentChannel(
                FileChannel.open(
                        file,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE));
    }

    long size() throws IOException {
        return channel.size();
    }

    void truncate() throws IOException {
        channel.truncate(0);
    }

    /** Writes the whole segment at a place. */
    public void put(MemorySegment bytes, long position) throws IOException {
        unforced = true;
        for (long at = 0; at < bytes.byteSize(); at += CHUNK) {
            ByteBuffer chunk = chunk(bytes, at);
            for (long to = position + at; chunk.hasRemaining(); ) {
                to += channel.write(chunk, to);
            }
        }
    }

    /** Fills the segment; false where the file is too short. */
    boolean read(MemorySegment bytes, long position) throws IOException {
        for (long at = 0; at < bytes.byteSize(); at += CHUNK) {
            ByteBuffer chunk = chunk(bytes, at);
            for (long from = position + at; chunk.hasRemaining(); ) {
                int count = channel.read(chunk, from);
                if (count < 0) {
                    return false;
                }
                from += count;
            }
        }
        return true;
    }

    /** Forces to the disk what was put since the last time. */
    public void force() throws IOException {
        if (unforced) {
            unforced = false;
            channel.force(true);
        }
    }

    /** CRC-32C, eight hexadecimal digits. */
    static String checksum(MemorySegment bytes) {
        CRC32C crc = new CRC32C();
        for (long at = 0; at < bytes.byteSize(); at += CHUNK) {
            crc.update(chunk(bytes, at));
        }
        return String.format(Locale.ROOT, "%08x", crc.getValue());
    }

    private static ByteBuffer chunk(MemorySegment bytes, long at) {
        return bytes.asSlice(at, Math.min(CHUNK, bytes.byteSize() - at)).asByteBuffer();
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
