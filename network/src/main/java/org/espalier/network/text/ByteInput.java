package org.espalier.network.text;

import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;

/**
 * A stream that is read in blocks of one size, so that what was taken from it does not depend on how a pipe hands its
 * bytes out, and whose first block can be looked at. Every block passes by a listener once.
 */
final class ByteInput extends InputStream {
    /** Bytes of a block. */
    static final int BLOCK = 1 << 16;

    /** Sees the bytes that were read. */
    @FunctionalInterface
    interface Listener {
        void update(byte[] bytes, int offset, int length);
    }

    private final InputStream in;
    private final Listener listener;
    private final byte[] block = new byte[BLOCK];
    private int at;
    private int end;
    private long bytes;
    private boolean ended;

    ByteInput(InputStream in, Listener listener) {
        this.in = in;
        this.listener = listener;
    }

    /** The first block; to be asked for before anything is read. */
    byte[] head() throws IOException {
        fill();
        return Arrays.copyOfRange(block, at, end);
    }

    /** Bytes taken from the stream so far, in whole blocks. */
    long bytes() {
        return bytes;
    }

    /** Whether the stream has no byte left. */
    boolean ended() throws IOException {
        fill();
        return at == end;
    }

    private void fill() throws IOException {
        if (at < end || ended) {
            return;
        }
        at = 0;
        end = in.readNBytes(block, 0, BLOCK);
        ended = end < BLOCK;
        bytes += end;
        listener.update(block, 0, end);
    }

    @Override
    public int read() throws IOException {
        fill();
        return at == end ? -1 : block[at++] & 0xff;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
        int done = 0;
        while (done < length) {
            fill();
            if (at == end) {
                return done == 0 ? -1 : done;
            }
            int count = Math.min(length - done, end - at);
            System.arraycopy(block, at, target, offset + done, count);
            at += count;
            done += count;
        }
        return done;
    }

    /** What can be had; 0 at the end only, which a reader of packed parts asks for. */
    @Override
    public int available() throws IOException {
        fill();
        return end - at;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
