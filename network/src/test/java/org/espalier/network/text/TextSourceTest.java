package org.espalier.network.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.espalier.core.UserError;
import org.espalier.network.text.TextSource.Draw;
import org.espalier.network.text.TextSource.Sample;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TextSourceTest {
    /** One token per character, no special tokens. */
    private static final TextEncoder CHARACTERS = text -> text.chars().mapToLong(c -> c).toArray();

    private static final int VOCABULARY = 128;

    @TempDir Path folder;

    @Test
    void documentsAreJoinedWithTwoNewlinesAndTokenizedOnce() throws IOException {
        TextSource source =
                source("a.jsonl", "{\"text\": \"ab\", \"id\": 7}\n\n{\"text\": \"c\"}\n");
        assertThat(source.sequences(CHARACTERS, VOCABULARY))
                .containsExactly(new long[] {'a', 'b', '\n', '\n', 'c'});
    }

    @Test
    void linesOfIdsAreUsedAsTheyAre() throws IOException {
        TextSource source = source("a.jsonl", "{\"input_ids\": [5, 6, 7]}\r\n{\"input_ids\": [8]}");
        Draw draw = new Draw(128, false, 2, 16, 1);
        Sample sample = source.sample(CHARACTERS, VOCABULARY, draw);
        assertThat(sample.sequences()).containsExactly(new long[] {5, 6, 7}, new long[] {8});
        assertThat(sample.notes()).isEmpty();
        assertThat(source.sample(CHARACTERS, VOCABULARY, new Draw(1, true, 2, 16, 1)).sequences())
                .containsExactly(new long[] {5, 6, 7});
        assertThat(source.sample(CHARACTERS, VOCABULARY, new Draw(3, true, 2, 16, 1)).notes())
                .singleElement()
                .asString()
                .contains("only 2 sequences");
    }

    @Test
    void windowsAreDrawnFromTheTextAndDependOnTheSeedOnly() throws IOException {
        String text = "the quick brown fox jumps over the lazy dog ".repeat(20);
        TextSource source = source("a.txt", text);
        Draw draw = new Draw(9, false, 37, 512, 11);
        List<long[]> first = source.sample(CHARACTERS, VOCABULARY, draw).sequences();
        assertThat(first).hasSize(9).allSatisfy(ids -> assertThat(string(ids)).hasSize(37));
        assertThat(first).allSatisfy(ids -> assertThat(text).contains(string(ids)));
        assertThat(source.sample(CHARACTERS, VOCABULARY, draw).sequences())
                .usingRecursiveComparison()
                .isEqualTo(first);
        Draw other = new Draw(9, false, 37, 512, 12);
        assertThat(
                        source.sample(CHARACTERS, VOCABULARY, other).sequences().stream()
                                .map(this::string))
                .isNotEqualTo(first.stream().map(this::string).toList());
    }

    @Test
    void aShortTextGivesEachWindowOnceAndSaysSo() throws IOException {
        TextSource source = source("a.txt", "abcdefghij");
        Sample sample = source.sample(CHARACTERS, VOCABULARY, new Draw(128, false, 4, 512, 1));
        assertThat(sample.sequences().stream().map(this::string)).containsExactly("abcd", "efgh");
        assertThat(sample.notes())
                .singleElement()
                .asString()
                .contains("2 sequences of 4", "instead of 128");
        Sample shorter = source.sample(CHARACTERS, VOCABULARY, new Draw(128, false, 40, 512, 1));
        assertThat(shorter.tokens()).isEqualTo(10);
        assertThat(shorter.notes()).singleElement().asString().contains("only 10 tokens");
    }

    @Test
    void sequencesAreClippedToWhatTheModelReads() throws IOException {
        TextSource source = source("a.txt", "x".repeat(100));
        Sample sample = source.sample(CHARACTERS, VOCABULARY, new Draw(2, false, 2048, 16, 1));
        assertThat(sample.sequences()).hasSize(2).allSatisfy(ids -> assertThat(ids).hasSize(16));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            textBlock =
                    """
                    {"text": "a"}~{"input_ids": [1]}      | line 2: has "input_ids" but the lines before it have "text"
                    {"input_ids": [1]}~~{"text": "a"}     | line 3: has "text"
                    {"text": "a", "input_ids": [1]}       | line 1: must be an object with either
                    {"txet": "a"}                         | line 1: must be an object with either
                    [1, 2]                                | line 1: must be an object with either
                    {"text": "a"}~{"text":                | line 2: not valid JSON
                    {"text": 3}                           | line 1: "text" must be a string
                    {"input_ids": []}                     | line 1: "input_ids" must be a list
                    {"input_ids": [1, 2.5]}               | 2.5 at position 1
                    {"input_ids": [1, -1]}                | -1 at position 1
                    {"input_ids": [1]}~{"input_ids":[128]}| line 2: the token id 128 is not in the model's vocabulary of 128
                    ~~                                    | is empty
                    """)
    void hostileLinesAreNamed(String content, String expected) {
        assertThatThrownBy(() ->
                        source("a.jsonl", content.replace('~', '\n'))
                                .sequences(CHARACTERS, VOCABULARY))
                .isInstanceOf(UserError.class)
                .hasMessageContaining(expected)
                .hasMessageContaining("a.jsonl");
    }

    @Test
    void aLineLongerThanTheModelReadsIsRefused() throws IOException {
        TextSource source =
                source("a.jsonl", "{\"input_ids\": [1, 2]}\n{\"input_ids\": [1, 2, 3, 4, 5]}");
        assertThatThrownBy(() -> source.sample(CHARACTERS, VOCABULARY, new Draw(2, false, 2, 4, 1)))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("line 2 has 5 tokens but the model reads at most 4");
    }

    @Test
    void filesThatAreNoTextAreRefused() throws IOException {
        Path binary = Files.write(folder.resolve("a.txt"), new byte[] {'a', (byte) 0xff, 'b'});
        assertThatThrownBy(() -> TextSource.read(binary))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("UTF-8");
        assertThatThrownBy(() -> TextSource.read(folder))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("is a folder");
        assertThatThrownBy(() -> TextSource.read(folder.resolve("b.txt")))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("does not exist");
        assertThatThrownBy(() -> source("c.txt", " \n"))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("is empty");
        assertThatThrownBy(() -> source("c.json", "{}"))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("has no key");
        assertThatThrownBy(() -> source("d.json", "words"))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("does not begin like it");
    }

    private TextSource source(String name, String content) throws IOException {
        return TextSource.read(Files.writeString(folder.resolve(name), content));
    }

    private String string(long[] ids) {
        StringBuilder text = new StringBuilder();
        for (long id : ids) {
            text.append((char) id);
        }
        return text.toString();
    }
}
