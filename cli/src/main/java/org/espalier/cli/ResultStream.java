package org.espalier.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Where results go, in UTF-8. A {@link PrintStream} swallows what goes wrong; this one can say what it was. */
final class ResultStream extends PrintStream {
    private final Watched watched;

    private ResultStream(Watched watched) {
        super(watched, true, StandardCharsets.UTF_8);
        this.watched = watched;
    }

    static ResultStream of(OutputStream out) {
        return new ResultStream(new Watched(out));
    }

    /** The standard output of the process. */
    static ResultStream standard() {
        return of(new FileOutputStream(FileDescriptor.out));
    }

    /** Why something that was printed did not arrive; null where all of it did. */
    @Nullable String loss() {
        if (!checkError()) {
            return null;
        }
        IOException failure = watched.failure;
        return failure == null || failure.getMessage() == null
                ? "it cannot be written"
                : failure.getMessage();
    }

    /** Remembers the first failure. */
    private static final class Watched extends FilterOutputStream {
        private @Nullable IOException failure;

        Watched(OutputStream out) {
            super(out);
        }

        @Override
        public void write(int value) throws IOException {
            write(new byte[] {(byte) value}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            try {
                out.write(bytes, offset, length);
            } catch (IOException e) {
                failure = failure == null ? e : failure;
                throw e;
            }
        }

        @Override
        public void flush() throws IOException {
            try {
                out.flush();
            } catch (IOException e) {
                failure = failure == null ? e : failure;
                throw e;
            }
        }
    }
}
