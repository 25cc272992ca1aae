package org.espalier.checkpoint.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.espalier.core.UserError;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

class JournalTest {
    private static final JsonMapper JSON = JsonMapper.shared();

    @TempDir Path folder;
    private Path file;

    @BeforeEach
    void nameTheFile() {
        file = folder.resolve("journal.jsonl");
    }

    @Test
    void entriesComeBackInOrderAndEachLineIsJson() throws IOException {
        write(entry(1), entry(2), entry(3));
        assertThat(read()).containsExactly(entry(1), entry(2), entry(3));
        assertThat(Files.readAllLines(file))
                .hasSize(3)
                .allSatisfy(line -> {
                    assertThat(JSON.readTree(line).path("crc32c").asString()).hasSize(8);
                    assertThat(JSON.readTree(line).path("entry").has("number")).isTrue();
                });
    }

    @Test
    void aFileCutOffAnywhereKeepsItsWholeEntriesAndGoesOn() throws IOException {
        write(entry(1), entry(2), entry(3));
        byte[] whole = Files.readAllBytes(file);
        for (int length = 0; length < whole.length; length++) {
            Files.write(file, Arrays.copyOf(whole, length));
            List<ObjectNode> left = read();
            assertThat(left)
                    .as("cut to %d bytes", length)
                    .isEqualTo(List.of(entry(1), entry(2), entry(3)).subList(0, left.size()));
            assertThat(left).hasSize((int) lines(Arrays.copyOf(whole, length)));
            write(entry(9));
            assertThat(read()).hasSize(left.size() + 1).endsWith(entry(9));
        }
    }

    @Test
    void anyChangedByteDropsItsEntryAndAllThatFollow() throws IOException {
        write(entry(1), entry(2), entry(3));
        byte[] whole = Files.readAllBytes(file);
        Random random = new Random(5);
        for (int at = 0; at < whole.length; at++) {
            byte[] damaged = whole.clone();
            damaged[at] ^= (byte) (1 + random.nextInt(255));
            Files.write(file, damaged);
            int before = (int) lines(Arrays.copyOf(whole, at));
            assertThat(read())
                    .as("byte %d", at)
                    .isEqualTo(List.of(entry(1), entry(2), entry(3)).subList(0, before));
            byte[] left = Files.readAllBytes(file);
            assertThat(left).isEqualTo(Arrays.copyOf(whole, left.length));
            assertThat(lines(left)).isEqualTo(before);
        }
    }

    @Test
    void truncatingForgetsOnTheDiskToo() {
        try (Journal journal = Journal.open(file)) {
            journal.append(entry(1));
            journal.append(entry(2));
            journal.truncate(1);
            journal.append(entry(3));
        }
        assertThat(read()).containsExactly(entry(1), entry(3));
    }

    @Test
    void whatIsNoJournalIsEmpty() throws IOException {
        Files.write(
                file, "{\"crc32c\":\"00000000\",\"entry\":7}\nx".getBytes(StandardCharsets.UTF_8));
        assertThat(read()).isEmpty();
        assertThatThrownBy(() -> Journal.open(folder))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("cannot write");
    }

    @Test
    void differencesNameTheirPath() {
        ObjectNode before = JSON.createObjectNode().put("seed", 1).put("same", 2L).put("old", true);
        before.putObject("recipe").put("sparsity", 0.5);
        ObjectNode now = JSON.createObjectNode().put("seed", 1).put("same", 2).put("new", "x");
        now.putObject("recipe").put("sparsity", 0.6);
        assertThat(Differences.between(before, now))
                .containsExactly(
                        "new was absent and is now \"x\"",
                        "old was true and is now absent",
                        "recipe.sparsity was 0.5 and is now 0.6");
        assertThat(Differences.between(now, now)).isEmpty();
    }

    private void write(ObjectNode... entries) {
        try (Journal journal = Journal.open(file)) {
            Arrays.asList(entries).forEach(journal::append);
        }
    }

    private List<ObjectNode> read() {
        try (Journal journal = Journal.open(file)) {
            return journal.entries();
        }
    }

    private static long lines(byte[] bytes) {
        long lines = 0;
        for (byte b : bytes) {
            lines += b == '\n' ? 1 : 0;
        }
        return lines;
    }

    private static ObjectNode entry(int number) {
        return JSON.createObjectNode()
                .put("number", number)
                .put("text", "é\n\"")
                .put("x", 0.1 * number);
    }
}
