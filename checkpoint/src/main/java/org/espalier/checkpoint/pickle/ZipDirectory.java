package org.espalier.checkpoint.pickle;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where the entries of a zip lie (APPNOTE.TXT of PKWARE, sections 4.3 and 4.5.3). The libraries for zips hand out
 * streams; weights are to be mapped, so their places are needed, checked against the file and against each other.
 */
final class ZipDirectory {
    private static final int LOCAL = 0x04034b50;
    private static final int CENTRAL = 0x02014b50;
    private static final int END = 0x06054b50;
    private static final int END_64 = 0x06064b50;
    private static final int LOCATOR_64 = 0x07064b50;

    private static final int LOCAL_BYTES = 30;
    private static final int CENTRAL_BYTES = 46;
    private static final int END_BYTES = 22;
    private static final int END_64_BYTES = 56;
    private static final int LOCATOR_64_BYTES = 20;
    private static final int LONGEST_COMMENT = 0xffff;
    private static final int EXTRA_64 = 1;

    /** An entry's name, place and node in a map, by the bytes of the directory that describe it. */
    private static final long HEAP_PER_BYTE = 8;

    private final MemorySegment content;
    private final Map<String, Entry> entries = new LinkedHashMap<>();

    /**
     * A file in the zip.
     *
     * @param name with the folders before it
     * @param method 0 where it is stored as it is
     * @param start of its data, in bytes from the start of the zip
     * @param bytes of its data
     */
    record Entry(String name, int method, long start, long bytes) {
        long end() {
            return start + bytes;
        }
    }

    private ZipDirectory(MemorySegment content) {
        this.content = content;
    }

    /** Whether bytes begin like a zip that holds something. */
    static boolean isZip(MemorySegment content) {
        return content.byteSize() >= LOCAL_BYTES && get4(content, 0) == LOCAL;
    }

    /** Reads and checks the directory; whatever does not fit is a {@link PickleFault}. */
    static Map<String, Entry> read(MemorySegment content, long heapBytes) {
        ZipDirectory zip = new ZipDirectory(content);
        zip.readAll(heapBytes);
        zip.requireNoOverlap();
        return Collections.unmodifiableMap(zip.entries);
    }

    private void readAll(long heapBytes) {
        long end = end();
        long count = get2(end + 10);
        long bytes = Integer.toUnsignedLong(get4(content, end + 12));
        long start = Integer.toUnsignedLong(get4(content, end + 16));
        long limit = end;
        long locator = end - LOCATOR_64_BYTES;
        if (locator >= 0 && get4(content, locator) == LOCATOR_64) {
            limit = get8(locator + 8);
            boolean fits = limit >= 0 && limit <= locator - END_64_BYTES;
            if (!fits || get4(content, limit) != END_64) {
                throw cut();
            }
            count = get8(limit + 32);
            bytes = get8(limit + 40);
            start = get8(limit + 48);
        }
        if (start < 0 || bytes < 0 || start > limit || bytes > limit - start) {
            throw cut();
        }
        if (count < 0 || count > bytes / CENTRAL_BYTES) {
            throw PickleFault.damaged(
                    "is a zip that claims " + Long.toUnsignedString(count) + " entries");
        }
        if (bytes > heapBytes / HEAP_PER_BYTE) {
            throw new PickleFault(
                    "has a directory of " + bytes + " bytes",
                    "",
                    ", which Java's heap cannot hold; start Java with a larger -Xmx");
        }
        long at = start;
        for (long i = 0; i < count; i++) {
            at = readOne(at, start, start + bytes);
        }
    }

    private long end() {
        long last = content.byteSize() - END_BYTES;
        for (long at = last; at >= Math.max(0, last - LONGEST_COMMENT); at--) {
            if (get4(content, at) == END && get2(at + 20) == last - at) {
                return at;
            }
        }
        throw cut();
    }

    /** Reads the record at a place and gives that of the next. */
    private long readOne(long at, long directory, long end) {
        if (end - at < CENTRAL_BYTES || get4(content, at) != CENTRAL) {
            throw cut();
        }
        int nameBytes = get2(at + 28);
        int extraBytes = get2(at + 30);
        long next = at + CENTRAL_BYTES + nameBytes + extraBytes + get2(at + 32);
        if (next > end) {
            throw cut();
        }
        String name =
                new String(
                        content.asSlice(at + CENTRAL_BYTES, nameBytes)
                                .toArray(ValueLayout.JAVA_BYTE),
                        StandardCharsets.UTF_8);
        boolean encrypted = (get2(at + 8) & 1) != 0;
        if (encrypted) {
            throw new PickleFault("is a zip with a password", "", "; unpack it and zip it without");
        }
        Long[] sizes = sizes(at, at + CENTRAL_BYTES + nameBytes, extraBytes);
        long packed = sizes[1];
        long header = sizes[2];
        if (header < 0 || header > directory - LOCAL_BYTES || get4(content, header) != LOCAL) {
            throw PickleFault.damaged("is a zip whose entry ", name, " is not where it should be");
        }
        long start = header + LOCAL_BYTES + get2(header + 26) + get2(header + 28);
        if (packed < 0 || start > directory || packed > directory - start) {
            throw PickleFault.damaged("is a zip whose entry ", name, " does not end within it");
        }
        int method = get2(at + 10);
        if (method == 0 && sizes[0] != packed) {
            throw PickleFault.damaged("is a zip whose entry ", name, " has two sizes");
        }
        if (entries.put(name, new Entry(name, method, start, packed)) != null) {
            throw PickleFault.damaged("is a zip with two entries ", name, "");
        }
        return next;
    }

    /** Size, size in the zip, and place of the local header; what does not fit 32 bits stands in the extra field. */
    private Long[] sizes(long at, long extra, int extraBytes) {
        Long[] sizes = new Long[3];
        long[] places = {at + 24, at + 20, at + 42};
        @Nullable Long wide = wide(extra, extra + extraBytes);
        long next = wide == null ? 0 : wide + 4;
        long end = wide == null ? 0 : next + get2(wide + 2);
        for (int i = 0; i < sizes.length; i++) {
            int narrow = get4(content, places[i]);
            if (narrow != -1) {
                sizes[i] = Integer.toUnsignedLong(narrow);
            } else if (next + 8 <= end) {
                sizes[i] = get8(next);
                next += 8;
            } else {
                throw cut();
            }
        }
        return sizes;
    }

    /** The extra field with sizes of 64 bits, or null. */
    private @Nullable Long wide(long extra, long end) {
        long at = extra;
        while (end - at >= 4) {
            int length = get2(at + 2);
            if (length > end - at - 4) {
                return null;
            }
            if (get2(at) == EXTRA_64) {
                return at;
            }
            at += 4 + length;
        }
        return null;
    }

    /** Data that serves as two entries is the trick of zips that unpack to more than they are. */
    private void requireNoOverlap() {
        List<Entry> byPlace = new ArrayList<>(entries.values());
        byPlace.sort(Comparator.comparingLong(Entry::start).thenComparingLong(Entry::end));
        long free = 0;
        for (Entry entry : byPlace) {
            if (entry.start() < free) {
                throw PickleFault.damaged(
                        "is a zip whose entry ", entry.name(), " overlaps the one before it");
            }
            free = entry.end();
        }
    }

    private int get2(long at) {
        return content.get(ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), at)
                & 0xffff;
    }

    private static int get4(MemorySegment content, long at) {
        return content.get(ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), at);
    }

    private long get8(long at) {
        return content.get(ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), at);
    }

    private static PickleFault cut() {
        return PickleFault.damaged("is a zip without a whole directory at its end");
    }
}
