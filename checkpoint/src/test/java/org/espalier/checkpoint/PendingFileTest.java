package org.espalier.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PendingFileTest {
    @TempDir Path folder;

    @Test
    void theOldFileStaysUntilTheCommit() throws IOException {
        Path file = folder.resolve("a.bin");
        Files.writeString(file, "old");
        try (PendingFile pending = PendingFile.hidden(file)) {
            put(pending, "new one");
            assertThat(file).hasContent("old");
            assertThat(names()).hasSize(2).anyMatch(name -> name.startsWith(".a.bin.partial-"));
            pending.commit();
            assertThat(file).hasContent("new one");
        }
        assertThat(names()).containsExactly("a.bin");
    }

    @Test
    void withoutACommitNothingIsLeft() throws IOException {
        Path file = folder.resolve("a.bin");
        try (PendingFile pending = PendingFile.hidden(file)) {
            put(pending, "half");
        }
        assertThat(names()).isEmpty();
    }

    /** Two writers of one process, the second after the first was forgotten. */
    @Test
    void aLeftoverIsStartedAnew() throws IOException {
        Path file = folder.resolve("a.bin");
        PendingFile forgotten = PendingFile.hidden(file);
        put(forgotten, "much longer than the other");
        try (PendingFile pending = PendingFile.hidden(file)) {
            put(pending, "short");
            pending.commit();
        }
        assertThat(file).hasContent("short");
        forgotten.close();
        assertThat(file).hasContent("short");
    }

    @Test
    void inPlaceWhatIsThereStays() throws IOException {
        Path file = folder.resolve("a.bin");
        try (PendingFile pending = PendingFile.inPlace(file)) {
            put(pending, "half");
        }
        try (PendingFile pending = PendingFile.inPlace(file)) {
            pending.channel().put(MemorySegment.ofArray(new byte[] {'!'}), 4);
            pending.commit();
        }
        assertThat(file).hasContent("half!");
        assertThat(names()).containsExactly("a.bin");
    }

    private static void put(PendingFile pending, String text) throws IOException {
        pending.channel().put(MemorySegment.ofArray(text.getBytes(StandardCharsets.UTF_8)), 0);
    }

    private List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> String.valueOf(file.getFileName())).toList();
        }
    }
}
