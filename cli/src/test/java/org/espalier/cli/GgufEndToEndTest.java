package org.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The commands on a GGUF file say what they say on the Hugging Face folder of the same model. */
class GgufEndToEndTest {
    @TempDir Path folder;

    private static Path hub() {
        return Runs.model();
    }

    /** The file that came with stories260k, which others wrote; without the data, the shipped model exported. */
    private Path gguf() {
        Path given = hub().resolve("stories260k-f32.gguf");
        Path exported = folder.resolve("exported.gguf");
        if (Files.exists(given) || Files.exists(exported)) {
            return Files.exists(given) ? given : exported;
        }
        done("export", hub(), "--to", "gguf", "--type", "bf16", "--out", exported);
        return exported;
    }

    private static JsonNode json(Object... arguments) {
        Runs.Outcome outcome = Runs.run(arguments);
        assertThat(outcome.code()).as(outcome.err()).isZero();
        return JsonMapper.shared().readTree(outcome.out());
    }

    @Test
    void inspectSeesTheSameModel() {
        JsonNode file = json("inspect", gguf(), "--json");
        JsonNode other = json("inspect", hub(), "--json");
        for (String key : new String[] {"family", "parameters", "headDim", "tied", "prunable"}) {
            assertThat(file.get(key)).as(key).isEqualTo(other.get(key));
        }
    }

    @Test
    void perplexityIsTheSameToTheBit() {
        Path text = Runs.text();
        JsonNode file = evaluate(gguf(), text);
        JsonNode other = evaluate(hub(), text);
        assertThat(file.get("perplexity")).isEqualTo(other.get("perplexity"));
        assertThat(file.get("protocol")).isEqualTo(other.get("protocol"));
    }

    private static JsonNode evaluate(Path model, Path text) {
        return json("evaluate", model, "--text", text, "--windows", 2, "--window", 128, "--json");
    }

    @Test
    void generateWritesTheSameText() {
        JsonNode file =
                json("generate", gguf(), "--prompt", "Once", "--max-tokens", "12", "--json");
        JsonNode other =
                json("generate", hub(), "--prompt", "Once", "--max-tokens", "12", "--json");
        assertThat(file).isEqualTo(other);
    }

    private static void done(Object... arguments) {
        Runs.Outcome outcome = Runs.run(arguments);
        assertThat(outcome.code()).as(outcome.err()).isZero();
    }

    @Test
    void pruningTheFileIsPruningTheFolder() {
        // An exported file has its norms in float32, so only the one in the folder's own type gives
        // the same bytes.
        Runs.data("lm-stories260k");
        Path fromFile = folder.resolve("file");
        Path fromFolder = folder.resolve("folder");
        Path text = Runs.text();
        Object[] common = {
            "--recipe", "wanda", "--calibration", text, "--samples", 4, "--sequence-length", 64
        };
        done(prune(gguf(), fromFile, common));
        done(prune(hub(), fromFolder, common));
        assertThat(fromFile.resolve("model.safetensors"))
                .hasSameBinaryContentAs(fromFolder.resolve("model.safetensors"));
        done("verify", fromFile, "--source", gguf());
        done("generate", fromFile, "--prompt", "Once", "--max-tokens", 4);
    }

    private static Object[] prune(Path model, Path out, Object[] common) {
        return Stream.concat(Stream.of("prune", model, "--out", out), Arrays.stream(common))
                .toArray();
    }

    @Test
    void aQuantizedFileIsInspectedPrunedAndExpanded() {
        Path model = Runs.root().resolve("models/hedgerow-3m");
        Path quantized = folder.resolve("q.gguf");
        done("export", model, "--to", "gguf", "--type", "q4_k_m", "--out", quantized);
        assertThat(json("inspect", quantized, "--json").get("bytesByType").propertyNames())
                .containsExactlyInAnyOrder("F32", "Q4_K", "Q6_K");
        Path pruned = folder.resolve("pruned");
        done("prune", quantized, "--recipe", "magnitude", "--windows", 1, "--out", pruned);
        JsonNode receipt = JsonMapper.shared().readTree(pruned.resolve("espalier.json").toFile());
        assertThat(receipt.path("source").path("types").toString())
                .isEqualTo("[\"F32\",\"Q4_K\",\"Q6_K\"]");
        Path expanded = folder.resolve("expanded");
        done("export", quantized, "--to", "safetensors", "--type", "f16", "--out", expanded);
        assertThat(json("generate", expanded, "--prompt", "Once", "--max-tokens", 8, "--json"))
                .isEqualTo(
                        json(
                                "generate",
                                quantized,
                                "--prompt",
                                "Once",
                                "--max-tokens",
                                8,
                                "--json"));
        Path again = folder.resolve("again.gguf");
        done("export", pruned, "--to", "gguf", "--type", "f16", "--out", again);
        assertThat(json("inspect", again, "--json").get("prunable"))
                .isEqualTo(json("inspect", pruned, "--json").get("prunable"));
    }

    @Test
    void whatCannotBeExportedIsSaidInOneLine() {
        Path model = Runs.root().resolve("models/hedgerow-3m");
        Path out = folder.resolve("out.gguf");
        refused("there is no GGUF type 'q3'", model, "--to", "gguf", "--type", "q3", "--out", out);
        refused("--to must be gguf or safetensors", model, "--to", "onnx", "--out", out);
        refused("no safetensors type q8_0", model, "--to", "safetensors", "--type", "q8_0");
        done("export", model, "--to", "gguf", "--out", out);
        refused("exists already", model, "--to", "gguf", "--out", out);
    }

    private static void refused(String message, Object... arguments) {
        Runs.Outcome outcome =
                Runs.run(Stream.concat(Stream.of("export"), Arrays.stream(arguments)).toArray());
        assertThat(outcome.code()).isEqualTo(Main.USER_ERROR);
        assertThat(outcome.err()).hasLineCount(1).contains(message);
    }
}
