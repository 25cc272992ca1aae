package org.espalier.train.stories;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import org.espalier.core.UserError;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

class CorpusTest {
    @TempDir Path folder;

    @Test
    void linesHoldTheTrainingTextsOfTheRange() throws Exception {
        Path file = folder.resolve("stories.jsonl");
        Corpus.write(file, 7, 100, 12);
        List<String> lines = Files.readAllLines(file);
        assertThat(lines).hasSize(12);
        StoryTeller teller = new StoryTeller(7);
        JsonMapper json = new JsonMapper();
        for (int i = 0; i < 12; i++) {
            assertThat(json.readTree(lines.get(i)).required("text").asString())
                    .isEqualTo(teller.story(100 + i).trainingText());
        }
    }

    @Test
    void sameSeedSameBytesAndNothingLeftBehind() throws Exception {
        Corpus.write(folder.resolve("a.txt"), 3, 0, 20);
        Corpus.write(folder.resolve("b.txt"), 3, 0, 20);
        Corpus.write(folder.resolve("b.txt"), 3, 0, 20);
        assertThat(folder.resolve("a.txt")).hasSameBinaryContentAs(folder.resolve("b.txt"));
        try (var files = Files.list(folder)) {
            assertThat(files.count()).isEqualTo(2);
        }
    }

    /**
     * A recorded training run names only seed and indices. Whoever changes a word list, a sentence or the generator
     * changes its corpus: train the shipped model anew, or its figures can no longer be reproduced.
     */
    @Test
    void corpusIsUnchanged() throws Exception {
        Path file = folder.resolve("stories.txt");
        Corpus.write(file, 1, 0, 2000);
        byte[] digest = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file));
        assertThat(HexFormat.of().formatHex(digest))
                .isEqualTo("67d6d4f5626cd922835f9d83677427b4f6069d8e869029d558e4451d9fb6719e");
    }

    @Test
    void wrongNameOrRangeIsRefused() {
        assertThatThrownBy(() -> Corpus.write(folder.resolve("stories.csv"), 1, 0, 5))
                .isInstanceOf(UserError.class)
                .hasMessageContaining(".jsonl");
        assertThatThrownBy(() -> Corpus.write(folder.resolve("stories.txt"), 1, 0, 0))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("at least one");
        assertThatThrownBy(() -> Corpus.write(folder.resolve("stories.txt"), 1, -1, 5))
                .isInstanceOf(UserError.class);
    }
}
