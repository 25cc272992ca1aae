package org.espalier.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which tokens end a text where several files name some. */
class StopTokensTest {
    private static final String WORDS =
            """
            {"version": "1.0", "added_tokens": [], "normalizer": null,
             "pre_tokenizer": {"type": "WhitespaceSplit"}, "post_processor": null, "decoder": null,
             "model": {"type": "WordLevel", "unk_token": "a", "vocab": {"a": 0, "end": 7}}}
            """;

    @TempDir Path folder;

    private StopTokens stops(String config) {
        Bytes.write(
                folder,
                "model.safetensors",
                Folders.floats(
                        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 1));
        Bytes.write(folder, "config.json", config);
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            return StopTokens.of(checkpoint, 100);
        }
    }

    private void generation(String json) {
        Bytes.write(folder, "generation_config.json", json);
    }

    @Test
    void theGenerationConfigGoesFirst() {
        generation("{\"eos_token_id\": [2, 31, 2]}");
        StopTokens stops = stops("{\"eos_token_id\": 2}");
        assertThat(stops.ids()).containsExactly(2L, 31L);
        assertThat(stops.notes())
                .singleElement()
                .asString()
                .contains("[2, 31]", "config.json", "at 2");
    }

    @Test
    void agreementIsNotWorthANote() {
        generation("{\"eos_token_id\": 2}");
        assertThat(stops("{\"eos_token_id\": [2]}"))
                .isEqualTo(new StopTokens(java.util.List.of(2L), java.util.List.of()));
    }

    @Test
    void whereItNamesNoneTheConfigDoesAndThenTheTokenizer() {
        generation("{\"eos_token_id\": null, \"do_sample\": true}");
        assertThat(stops("{\"eos_token_id\": 5}").ids()).containsExactly(5L);
        assertThat(stops("{}").ids()).isEmpty();
        Bytes.write(folder, "tokenizer.json", WORDS);
        Bytes.write(folder, "tokenizer_config.json", "{\"eos_token\": \"end\"}");
        assertThat(stops("{}").ids()).containsExactly(7L);
        StopTokens other = stops("{\"eos_token_id\": 5}");
        assertThat(other.ids()).containsExactly(5L);
        assertThat(other.notes()).singleElement().asString().contains("token 7", "stops at 5");
    }

    @Test
    void whatIsNoTokenIsLeftOutWithANote() {
        generation("{\"eos_token_id\": [3, 100, -1, \"x\", 1.5]}");
        StopTokens stops = stops("{}");
        assertThat(stops.ids()).containsExactly(3L);
        assertThat(stops.notes())
                .hasSize(4)
                .allSatisfy(note -> assertThat(note).contains("left out"));
    }

    @Test
    void aGenerationConfigThatIsNoneIsNotFollowed() {
        for (String json : new String[] {"{", "\u0000", "[1", "{\"a\": 1, \"a\": 2}"}) {
            generation(json);
            StopTokens stops = stops("{\"eos_token_id\": 4}");
            assertThat(stops.ids()).containsExactly(4L);
            assertThat(stops.notes())
                    .singleElement()
                    .asString()
                    .contains("not followed")
                    .hasLineCount(1);
        }
    }
}
