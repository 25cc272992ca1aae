package org.espalier.network.text;

import java.io.IOException;
import java.io.Reader;
import org.jspecify.annotations.Nullable;

/**
 * The characters of a text with every line end, {@code \r\n} or a lone {@code \r}, turned into {@code \n}. At most a
 * given number is handed out; whether that was all is told.
 */
final class CharacterInput extends Reader {
    private static final int BLOCK = 1 << 16;

    private final Reader in;
    private final long most;
    private final char[] block = new char[BLOCK];
    private int at;
    private int end;
    private long taken;
    private boolean afterReturn;
    private boolean ended;

    /**
     * Characters of a reader.
     *
     * @param most how many are read at most
     */
    CharacterInput(Reader in, long most) {
        this.in = in;
        this.most = most;
    }

    /** The first characters; to be asked for before anything is read. */
    String head() throws IOException {
        fill();
        return new String(block, at, end - at);
    }

    /** Whether {@link #head} is the whole text. */
    boolean headIsAll() {
        return ended;
    }

    /** The same input after the byte-order marks at its beginning. */
    CharacterInput withoutMark() throws IOException {
        while (!ended() && block[at] == '\ufeff') {
            at++;
        }
        return this;
    }

    /** Whether there is nothing left, be it for the limit. */
    boolean ended() throws IOException {
        fill();
        return at == end;
    }

    /** Whether everything was read. */
    boolean complete() throws IOException {
        return ended() && ended;
    }

    /** The next characters, fewer where the text ends. */
    String text(int length) throws IOException {
        StringBuilder text = new StringBuilder();
        while (text.length() < length && !ended()) {
            int count = Math.min(length - text.length(), end - at);
            text.append(block, at, count);
            at += count;
        }
        return text.toString();
    }

    /**
     * The next line without its end, or null after the last one.
     *
     * @throws LineTooLong where it has more characters than {@code longest}
     */
    @Nullable String line(int longest) throws IOException, LineTooLong {
        if (ended()) {
            return null;
        }
        StringBuilder line = new StringBuilder();
        while (!ended()) {
            int stop = at;
            while (stop < end && block[stop] != '\n') {
                stop++;
            }
            line.append(block, at, stop - at);
            if (line.length() > longest) {
                throw new LineTooLong();
            }
            boolean whole = stop < end;
            at = whole ? stop + 1 : stop;
            if (whole) {
                break;
            }
        }
        return line.toString();
    }

    /** A line beyond its limit. */
    static final class LineTooLong extends Exception {
        private static final long serialVersionUID = 1;
    }

    private void fill() throws IOException {
        while (at == end && !ended && taken < most) {
            int read = 0;
            while (read < BLOCK && !ended) {
                int count = in.read(block, read, BLOCK - read);
                ended = count < 0;
                read += Math.max(0, count);
            }
            at = 0;
            end = withoutReturns(read);
            taken += read;
        }
    }

    private int withoutReturns(int length) {
        int kept = 0;
        for (int i = 0; i < length; i++) {
            char c = block[i];
            if (c != '\n' || !afterReturn) {
                block[kept++] = c == '\r' ? '\n' : c;
            }
            afterReturn = c == '\r';
        }
        return kept;
    }

    @Override
    public int read(char[] target, int offset, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        if (ended()) {
            return -1;
        }
        int count = Math.min(length, end - at);
        System.arraycopy(block, at, target, offset, count);
        at += count;
        return count;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
