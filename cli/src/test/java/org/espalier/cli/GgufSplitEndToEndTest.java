package org.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.espalier.checkpoint.gguf.GgufValue;
import org.espalier.checkpoint.gguf.GgufValueType;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The parts of a split model, whichever is given, are to every command the model that was split. */
class GgufSplitEndToEndTest {
    private static final int PARTS = 3;

    @TempDir static Path folder;
    private static Path whole = Path.of("");

    @BeforeAll
    static void split() throws Exception {
        Path hub = RandomModel.write(folder.resolve("hub"), ExportedModel.LLAMA_3_1.config(), 7);
        whole = folder.resolve("whole.gguf");
        json("export", hub, "--to", "gguf", "--type", "q8_0", "--out", whole, "--json");
        Map<String, GgufValue> metadata = GgufFiles.metadata(whole);
        List<GgufFiles.Content> contents = GgufFiles.contents(whole);
        int each = contents.size() / PARTS;
        for (int part = 0; part < PARTS; part++) {
            Map<String, GgufValue> own =
                    part == 0 ? new LinkedHashMap<>(metadata) : new LinkedHashMap<>();
            own.put("split.no", new GgufValue.Whole(part, GgufValueType.U16));
            own.put("split.count", new GgufValue.Whole(PARTS, GgufValueType.U16));
            own.put("split.tensors.count", new GgufValue.Whole(contents.size(), GgufValueType.I32));
            int end = part == PARTS - 1 ? contents.size() : (part + 1) * each;
            GgufFiles.write(part(part), own, contents.subList(part * each, end));
        }
    }

    private static Path part(int number) {
        return folder.resolve("m-0000%d-of-0000%d.gguf".formatted(number + 1, PARTS));
    }

    @Test
    void everyCommandSeesOneModel() throws Exception {
        Path ids = Files.writeString(folder.resolve("ids.jsonl"), ids());
        JsonNode expected = json("evaluate", whole, "--text", ids, "--json").path("perplexity");
        for (int number = 0; number < PARTS; number++) {
            assertThat(json("evaluate", part(number), "--text", ids, "--json").path("perplexity"))
                    .isEqualTo(expected);
        }
        JsonNode inspected = json("inspect", part(1), "--json");
        assertThat(inspected.path("parameters"))
                .isEqualTo(json("inspect", whole, "--json").path("parameters"));
        assertThat(inspected.path("files").propertyNames())
                .containsExactly(
                        "m-00001-of-00003.gguf", "m-00002-of-00003.gguf", "m-00003-of-00003.gguf");
        Path fromParts = folder.resolve("from-parts");
        Path fromWhole = folder.resolve("from-whole");
        json("prune", part(2), "--recipe", "magnitude", "--out", fromParts, "--json");
        json("prune", whole, "--recipe", "magnitude", "--out", fromWhole, "--json");
        assertThat(fromParts.resolve("model.safetensors"))
                .hasSameBinaryContentAs(fromWhole.resolve("model.safetensors"));
        JsonNode receipt =
                JsonMapper.shared().readTree(fromParts.resolve("espalier.json").toFile());
        assertThat(receipt.path("source").path("files").toString())
                .contains("m-00001-of-00003", "m-00002-of-00003", "m-00003-of-00003");
        json("verify", fromParts, "--source", part(0), "--json");
        Path again = folder.resolve("again.gguf");
        json("export", part(1), "--to", "gguf", "--type", "q8_0", "--out", again, "--json");
        assertThat(GgufFiles.contents(again))
                .usingRecursiveComparison()
                .isEqualTo(GgufFiles.contents(whole));
    }

    private static String ids() {
        StringBuilder ids = new StringBuilder("{\"input_ids\": [1");
        for (int i = 0; i < 20; i++) {
            ids.append(", ").append(i * 7 % 31);
        }
        return ids.append("]}\n").toString();
    }

    private static JsonNode json(Object... arguments) {
        Runs.Outcome outcome = Runs.run(arguments);
        assertThat(outcome.code()).as(outcome.err()).isZero();
        return JsonMapper.shared().readTree(outcome.out());
    }
}
