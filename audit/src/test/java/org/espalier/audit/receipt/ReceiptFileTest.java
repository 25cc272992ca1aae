package org.espalier.audit.receipt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.SplittableRandom;
import org.espalier.core.UserError;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

class ReceiptFileTest {
    @TempDir Path folder;

    @Test
    void aReceiptComesBackAsItWas() throws IOException {
        Receipt receipt = Receipts.of("stories", 3);
        write(ReceiptFile.text(receipt));
        Receipt read = ReceiptFile.read(folder);
        assertThat(read.digest()).hasSize(64);
        assertThat(read.withDigest("")).usingRecursiveComparison().isEqualTo(receipt);
        assertThat(ReceiptFile.text(read)).isEqualTo(Files.readString(file()));
    }

    @Test
    void aPerplexityWithoutEndIsNullAndNamedAndComesBack() throws IOException {
        JsonMapper json = JsonMapper.shared();
        ObjectNode tree = (ObjectNode) json.readTree(ReceiptFile.text(Receipts.of("stories", 2)));
        ((ObjectNode) tree.at("/quality/after")).putNull("value");
        tree.putObject("notFinite").put("/quality/after/value", "Infinity");
        Receipt receipt = ReceiptFile.parse(tree.toString());
        assertThat(Objects.requireNonNull(receipt.quality()).after().value()).isInfinite();
        String text = ReceiptFile.text(receipt);
        assertThat(json.readTree(text).at("/quality/after/value").isNull()).isTrue();
        assertThat(json.readTree(text).path("notFinite")).isEqualTo(tree.path("notFinite"));
        write(text);
        assertThat(ReceiptFile.text(ReceiptFile.read(folder))).isEqualTo(text);
    }

    @Test
    void anyChangedByteIsFound() throws IOException {
        String text = ReceiptFile.text(Receipts.of("stories", 2));
        long seed = 8;
        SplittableRandom random = new SplittableRandom(seed);
        for (int round = 0; round < 200; round++) {
            int at = random.nextInt(text.length());
            char other = (char) ('0' + random.nextInt(10));
            if (text.charAt(at) != other) {
                write(text.substring(0, at) + other + text.substring(at + 1));
                assertThatThrownBy(() -> ReceiptFile.read(folder))
                        .as("seed %d: byte %d became %s", seed, at, other)
                        .isInstanceOf(UserError.class)
                        .hasMessageContaining("was changed");
            }
        }
    }

    @Test
    void aFolderWithoutAReceiptAndFilesThatAreNoneAreRefused() throws IOException {
        assertThatThrownBy(() -> ReceiptFile.read(folder))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("has no espalier.json");
        for (String text :
                new String[] {"", "{}", "[1]", "null", "{\"digest\": \"\"}", "{\"digest\""}) {
            write(text);
            assertThatThrownBy(() -> ReceiptFile.read(folder))
                    .as(text)
                    .isInstanceOf(UserError.class)
                    .hasMessageContaining("was changed");
        }
    }

    @Test
    void aReceiptOfAnEarlierLayoutSaysWhoWroteItAndWhatToDo() throws IOException {
        for (String field : new String[] {"types", "inputTokens"}) {
            ObjectNode tree =
                    (ObjectNode)
                            JsonMapper.shared()
                                    .readTree(ReceiptFile.text(Receipts.of("stories", 2)));
            tree.put("espalier", "0.0.9");
            tree.put("digest", "0".repeat(64));
            ObjectNode without =
                    (ObjectNode)
                            (field.equals("types") ? tree.get("source") : tree.at("/layers/0"));
            assertThat(without.remove(field)).as(field).isNotNull();
            String blank = tree.toPrettyString() + "\n";
            String digest = Checksum.of(blank.getBytes(StandardCharsets.UTF_8));
            write(blank.replace("0".repeat(64), digest));
            assertThatThrownBy(() -> ReceiptFile.read(folder))
                    .isInstanceOf(UserError.class)
                    .hasMessageContaining("espalier.json was written by espalier 0.0.9")
                    .hasMessageContaining("prune the dense model again")
                    .hasMessageContaining("'" + field + "'")
                    .message()
                    .hasLineCount(1);
        }
    }

    private Path file() {
        return folder.resolve(ReceiptFile.NAME);
    }

    private void write(String text) throws IOException {
        Files.writeString(file(), text);
    }
}
