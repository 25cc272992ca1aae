package org.espalier.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;

/** How much room files take, as they are and packed. */
final class Sizes {
    /** Packing more than this would take longer than it is worth. */
    private static final long MOST_TO_PACK = 64_000_000;

    private Sizes() {}

    static long bytes(List<Path> files) {
        try {
            long sum = 0;
            for (Path file : files) {
                sum += Files.size(file);
            }
            return sum;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Bytes after gzip, or null where the files are too large to try. */
    static @Nullable Long packed(List<Path> files) {
        if (bytes(files) > MOST_TO_PACK) {
            return null;
        }
        try (Counter counter = new Counter();
                GZIPOutputStream gzip = new GZIPOutputStream(counter, 1 << 16)) {
            for (Path file : files) {
                Files.copy(file, gzip);
            }
            gzip.finish();
            return counter.count;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static final class Counter extends OutputStream {
        private long count;

        @Override
        public void write(int value) {
            count++;
        }

        @Override
        public void write(byte[] bytes, int offset, int length) {
            count += length;
        }
    }
}
