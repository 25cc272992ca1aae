package org.espalier.network.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.espalier.core.UserError;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Token ids as published sets have them: filled up to one length, with masks, labels and more. */
class PaddingTest {
    @TempDir Path folder;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {"[1,1,1,1,1]", "[true,true,true,true,true]", "null"})
    void withoutPaddingEverythingCounts(String mask) throws IOException {
        assertThat(read("{\"input_ids\": [5,6,7,8,9], \"attention_mask\": " + mask + "}"))
                .containsExactly(new long[] {5, 6, 7, 8, 9});
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "[5,6,7,0,0] | [1,1,1,0,0]",
                "[0,0,5,6,7] | [0,0,1,1,1]",
                "[0,5,6,7,0] | [false,true,true,true,false]",
                "[0,5,6,7]   | [0.0,1.0,1,1]"
            })
    void paddingAtEitherEndIsLeftOut(String ids, String mask) throws IOException {
        String others =
                ", \"token_type_ids\": [0,0], \"position_ids\": null, \"special_tokens_mask\": [1]";
        String row = "{\"input_ids\": " + ids + ", \"attention_mask\": " + mask + others + "}";
        assertThat(read(row)).containsExactly(new long[] {5, 6, 7});
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "[1,0,1]       | a 0 between ones",
                "[0,0,0]       | leaves no token",
                "[1,1]         | as long as",
                "[1,1,1,1]     | as long as",
                "[1,2,1]       | has 2 at position 1",
                "[[1,1,1],1,1] | has a list at position 0",
                "\"111\"       | is no list"
            })
    void otherMasksAreRefusedByLine(String mask, String expected) {
        assertThatThrownBy(
                        () -> read("\n{\"input_ids\": [5,6,7], \"attention_mask\": " + mask + "}"))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("line 2: \"attention_mask\"")
                .hasMessageContaining(expected);
    }

    @Test
    void labelsAndPaddingWithoutAMaskAreTold() throws IOException {
        assertThat(source("{\"input_ids\": [5,6], \"labels\": [-100,6]}").origin().notes())
                .singleElement()
                .asString()
                .contains("\"labels\" are not looked at");
        assertThat(source("{\"input_ids\": [5,6], \"labels\": [5,6]}").origin().notes()).isEmpty();
        String row = "{\"input_ids\": [5,6" + ",0".repeat(20) + "]}";
        TextSource padded = source(row + "\n" + row);
        assertThat(padded.origin().notes()).singleElement().asString().contains("attention_mask");
        assertThat(padded.sequences(text -> new long[0], 10).getFirst()).hasSize(22);
    }

    private List<long[]> read(String content) throws IOException {
        return source(content).sequences(text -> new long[0], 10);
    }

    private TextSource source(String content) throws IOException {
        return TextSource.read(Files.writeString(folder.resolve("a.jsonl"), content));
    }
}
