package org.espalier.checkpoint.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.zip.CRC32C;
import org.espalier.checkpoint.DurableFiles;
import org.espalier.checkpoint.IoFailure;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * A file to which entries are only ever added. An entry is one line of JSON with the CRC-32C of its text:
 * {@code {"crc32c":"4f1e0a77","entry":{...}}}. An entry is on the disk when {@link #append} returns; a line that was cut
 * off or damaged is dropped when the file is opened, with all that follows it, for those entries may build upon it.
 */
public final class Journal implements AutoCloseable {
    private static final String HEAD = "{\"crc32c\":\"";
    private static final String MIDDLE = "\",\"entry\":";
    private static final String TAIL = "}";
    private static final int DIGITS = 8;
    private static final int ENTRY_START = HEAD.length() + DIGITS + MIDDLE.length();
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final Path file;
    private final FileChannel channel;
    private final List<ObjectNode> entries = new ArrayList<>();

    /** Where each entry ends in the file. */
    private final List<Long> ends = new ArrayList<>();

    private Journal(Path file, FileChannel channel) {
        this.file = file;
        this.channel = channel;
    }

    /** Opens a journal, or starts one where there is none. Its folder must exist. */
    public static Journal open(Path file) {
        try {
            boolean isNew = !Files.exists(file);
            FileChannel channel =
                    FileChannel.open(
                            file,
                            StandardOpenOption.CREATE,
                            StandardOpenOption.READ,
                            StandardOpenOption.WRITE);
            Journal journal = new Journal(file, channel);
            try {
                journal.read(Files.readAllBytes(file));
                journal.keep(journal.entries.size());
                if (isNew) {
                    DurableFiles.forceName(file);
                }
                return journal;
            } catch (IOException e) {
                channel.close();
                throw e;
            }
        } catch (IOException e) {
            throw IoFailure.writing(file, e);
        }
    }

    /** The entries, oldest first. */
    public List<ObjectNode> entries() {
        return List.copyOf(entries);
    }

    /** Adds an entry and forces it to the disk. */
    public void append(ObjectNode entry) {
        byte[] line = line(entry);
        try {
            ByteBuffer bytes = ByteBuffer.wrap(line);
            long at = end();
            while (bytes.hasRemaining()) {
                at += channel.write(bytes, at);
            }
            channel.force(true);
            entries.add(entry.deepCopy());
            ends.add(at);
        } catch (IOException e) {
            throw IoFailure.writing(file, e);
        }
    }

    /** Forgets all entries but the first {@code count}, on the disk too. */
    public void truncate(int count) {
        try {
            keep(count);
        } catch (IOException e) {
            throw IoFailure.writing(file, e);
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw IoFailure.writing(file, e);
        }
    }

    private void keep(int count) throws IOException {
        entries.subList(count, entries.size()).clear();
        ends.subList(count, ends.size()).clear();
        if (channel.size() != end()) {
            channel.truncate(end());
            channel.force(true);
        }
    }

    private long end() {
        return ends.isEmpty() ? 0 : ends.getLast();
    }

    private void read(byte[] bytes) {
        int start = 0;
        for (int at = 0; at < bytes.length; at++) {
            if (bytes[at] == '\n') {
                ObjectNode entry =
                        entry(new String(bytes, start, at - start, StandardCharsets.UTF_8));
                if (entry == null) {
                    return;
                }
                start = at + 1;
                entries.add(entry);
                ends.add((long) start);
            }
        }
    }

    private static byte[] line(ObjectNode entry) {
        String text = JSON.writeValueAsString(entry);
        return (HEAD + checksum(text) + MIDDLE + text + TAIL + "\n")
                .getBytes(StandardCharsets.UTF_8);
    }

    /** What a line holds, or null where it is not what was written. */
    private static @Nullable ObjectNode entry(String line) {
        if (line.length() < ENTRY_START + TAIL.length()) {
            return null;
        }
        String text = line.substring(ENTRY_START, line.length() - TAIL.length());
        if (!line.equals(HEAD + checksum(text) + MIDDLE + text + TAIL)) {
            return null;
        }
        try {
            JsonNode node = JSON.readTree(text);
            return node instanceof ObjectNode object ? object : null;
        } catch (JacksonException e) {
            return null;
        }
    }

    private static String checksum(String text) {
        CRC32C crc = new CRC32C();
        crc.update(text.getBytes(StandardCharsets.UTF_8));
        return String.format(Locale.ROOT, "%08x", crc.getValue());
    }
}
