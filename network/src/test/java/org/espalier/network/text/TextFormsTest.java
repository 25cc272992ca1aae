package org.espalier.network.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.espalier.core.UserError;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The same words, stored in other ways. */
class TextFormsTest {
    private static final String PROSE =
            "The caf\u00e9 by the canal\nhas 3 tables. \ud83d\ude00\n\n{Nobody} sits there.\n";
    private static final String ROWS =
            """
            {"text": "The caf\u00e9", "id": 1}
            {"id": 2, "text": "by the canal\\nhas 3 tables."}
            """;

    @TempDir Path folder;

    @ParameterizedTest
    @CsvSource({
        "UTF-8, EFBBBF",
        "UTF-16LE, FFFE",
        "UTF-16BE, FEFF",
        "UTF-32LE, FFFE0000",
        "UTF-32BE, 0000FEFF",
        "UTF-16LE, ''",
        "UTF-16BE, ''",
        "UTF-32LE, ''",
        "UTF-32BE, ''"
    })
    void marksAndEncodingsAreNoText(String charset, String mark) throws IOException {
        for (String name : List.of("a.txt", "A.TXT", "a", "a.data", "a.log", "a.jsonl")) {
            String content = name.endsWith(".jsonl") ? ROWS : PROSE;
            byte[] bytes = bytes(mark, content.getBytes(Charset.forName(charset)));
            assertThat(documents(write(name, bytes)))
                    .as(name)
                    .isEqualTo(
                            documents(
                                    write(
                                            "plain-" + name,
                                            content.getBytes(StandardCharsets.UTF_8))));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"\r\n", "\r"})
    void lineEndsAreOne(String end) throws IOException {
        byte[] bytes = PROSE.replace("\n", end).getBytes(StandardCharsets.UTF_8);
        assertThat(documents(write("a.txt", bytes))).containsExactly(PROSE);
        byte[] rows = ROWS.replace("\n", end).getBytes(StandardCharsets.UTF_8);
        assertThat(documents(write("a.jsonl", rows)))
                .containsExactly("The caf\u00e9", "by the canal\nhas 3 tables.");
        String escaped =
                "{\"text\": \"one" + end.replace("\r", "\\r").replace("\n", "\\n") + "two\"}";
        assertThat(documents(write("b.jsonl", escaped.getBytes(StandardCharsets.UTF_8))))
                .containsExactly("one\ntwo");
    }

    /** A pair of return and newline on the border between two blocks is one line end still. */
    @Test
    void lineEndsAcrossBlocksAreOne() throws IOException {
        for (int before = (1 << 16) - 3; before < (1 << 16) + 3; before++) {
            String text = "x".repeat(before) + "\r\ny\r\rz";
            assertThat(documents(write("a.txt", text.getBytes(StandardCharsets.UTF_8))))
                    .containsExactly("x".repeat(before) + "\ny\n\nz");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"a.jsonl", "A.JSONL", "a.ndjson", "a.json", "a", "a.data", "a.log", "a.txt"})
    void objectsAreReadByTheirContent(String name) throws IOException {
        List<String> expected = List.of("The caf\u00e9", "by the canal\nhas 3 tables.");
        byte[] lines = ROWS.getBytes(StandardCharsets.UTF_8);
        TextSource source = TextSource.read(write(name, lines));
        assertThat(documents(source)).isEqualTo(expected);
        boolean named = name.toLowerCase(java.util.Locale.ROOT).contains("json");
        assertThat(source.origin().notes()).hasSize(named ? 0 : 1);
        byte[] array =
                ("[\n" + ROWS.strip().replace("}\n{", "},\n {") + "\n]")
                        .getBytes(StandardCharsets.UTF_8);
        assertThat(documents(write(name, array))).isEqualTo(expected);
        assertThat(documents(write(name + ".gz", gzip(lines)))).isEqualTo(expected);
        assertThat(documents(write(name, gzip(array)))).isEqualTo(expected);
    }

    @Test
    void aJsonFileMayGoOverManyLines() throws IOException {
        String pretty = "{\n  \"text\": \"one\"\n}\n{\n  \"text\":\n \"two\" }";
        assertThat(documents(write("a.json", pretty.getBytes(StandardCharsets.UTF_8))))
                .containsExactly("one", "two");
        assertThatThrownBy(() ->
                        TextSource.read(
                                write(
                                        "b.json",
                                        "[\n{\"text\": \"a\"},\n{\"x\": 1}]"
                                                .getBytes(StandardCharsets.UTF_8))))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("line 3", "\"x\"");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{ is a brace",
                "{\"text\": \"one\"} and more",
                "{\"text\": \"one\"}\nand then prose",
                "{\"name\": \"of a setting\"}\n{\"name\": \"of another\"}",
                "[1] A footnote",
                "[{ is two brackets",
                "{}"
            })
    void plainTextThatBeginsLikeJsonStaysText(String text) throws IOException {
        for (String name : List.of("a.txt", "a", "a.md")) {
            assertThat(documents(write(name, text.getBytes(StandardCharsets.UTF_8))))
                    .containsExactly(text);
        }
    }

    @Test
    void otherNamesOfTheWordsAreReadAndTold() throws IOException {
        TextSource source =
                TextSource.read(
                        write(
                                "a.jsonl",
                                "{\"url\": 1, \"content\": \"words\"}"
                                        .getBytes(StandardCharsets.UTF_8)));
        assertThat(documents(source)).containsExactly("words");
        assertThat(source.origin().notes())
                .singleElement()
                .asString()
                .contains("\"content\" is read");
        assertThatThrownBy(() ->
                        TextSource.read(
                                write(
                                        "b.jsonl",
                                        "{\"instruction\": \"a\", \"output\": \"b\"}"
                                                .getBytes(StandardCharsets.UTF_8))))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("the keys \"instruction\", \"output\"");
    }

    @Test
    void theChecksumIsOfTheBytesThatWereRead() throws Exception {
        byte[] bytes = gzip(ROWS.getBytes(StandardCharsets.UTF_8));
        Origin origin = TextSource.read(write("a.jsonl.gz", bytes)).origin();
        assertThat(origin.sha256()).isEqualTo(sha256(bytes));
        assertThat(origin.bytesRead()).isNull();
        assertThat(origin.complete()).isTrue();
    }

    /** A pipe gives what a file gives, and is read once. */
    @Test
    void aNamedPipeIsReadLikeAFile() throws Exception {
        Path pipe = folder.resolve("pipe");
        int made;
        try {
            made = new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor();
        } catch (IOException e) {
            made = 1;
        }
        Assumptions.assumeTrue(made == 0, "no mkfifo here");
        byte[] bytes = gzip(ROWS.getBytes(StandardCharsets.UTF_8));
        Thread writer = Thread.ofVirtual().start(() -> writeTo(pipe, bytes));
        TextSource source = TextSource.read(pipe);
        writer.join();
        assertThat(documents(source)).hasSize(2);
        assertThat(source.origin().sha256()).isEqualTo(sha256(bytes));
        assertThat(source.origin().name()).isEqualTo("pipe");
    }

    @Test
    void aTextOfAnySizeIsReadAsFarAsItIsKept() throws Exception {
        byte[] line = "0123456789abcdef 0123456789abcde\n".getBytes(StandardCharsets.UTF_8);
        byte[] block = new byte[line.length << 15];
        for (int i = 0; i < block.length; i++) {
            block[i] = line[i % line.length];
        }
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(packed)) {
            for (int i = 0; i < 64; i++) {
                out.write(block);
            }
        }
        TextSource source = TextSource.read(write("bomb.gz", packed.toByteArray()));
        assertThat(source.origin().complete()).isFalse();
        assertThat(documents(source).getFirst()).hasSize(TextSource.MOST_CHARACTERS);
        TextEncoder one = text -> new long[] {text.length() % 7};
        assertThatThrownBy(() -> source.sequences(one, 9))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("--windows");
        assertThat(source.sequences(one, 9, 1)).hasSize(1);
        assertThat(source.sample(one, 9, new TextSource.Draw(1, true, 1, 8, 1)).notes())
                .singleElement()
                .asString()
                .contains("is long");
    }

    @ParameterizedTest
    @CsvSource({
        "28B52FFD00, zstd -d",
        "FD377A585A00, xz -d",
        "504B030400, unzip",
        "5041523115, Parquet",
        "4152524F573100, Arrow",
        "1F8B0800, damaged",
        "616263FF, is not UTF-8",
        "00000000000000, many of its first bytes are zero",
        "C3, is not UTF-8"
    })
    void whatCannotBeReadIsRefusedByName(String bytes, String expected) throws IOException {
        Path file = write("a.txt", HexFormat.of().parseHex(bytes));
        assertThatThrownBy(() -> TextSource.read(file))
                .isInstanceOf(UserError.class)
                .hasMessageContaining(expected)
                .satisfies(e -> assertThat(String.valueOf(e.getMessage()).lines()).hasSize(1));
    }

    private static List<String> documents(Path file) {
        return documents(TextSource.read(file));
    }

    private static List<String> documents(TextSource source) {
        return ((Documents) source).documents();
    }

    private Path write(String name, byte[] bytes) throws IOException {
        return Files.write(folder.resolve(name), bytes);
    }

    private static void writeTo(Path file, byte[] bytes) {
        try {
            Files.write(file, bytes);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static byte[] bytes(String mark, byte[] content) {
        byte[] first = HexFormat.of().parseHex(mark);
        byte[] all = Arrays.copyOf(first, first.length + content.length);
        System.arraycopy(content, 0, all, first.length, content.length);
        return all;
    }

    private static byte[] gzip(byte[] bytes) throws IOException {
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(packed)) {
            out.write(bytes);
        }
        return packed.toByteArray();
    }

    private static String sha256(byte[] bytes) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }
}
