package org.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The commands on a GGUF file say what they say on the Hugging Face folder of the same model. */
class GgufEndToEndTest {
    @TempDir Path folder;

    private static Path hub() {
        return Runs.data("lm-stories260k");
    }

    private static Path gguf() {
        return hub().resolve("stories260k-f32.gguf");
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
        Path text = Runs.data("text-tinystories/sample.txt");
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

    @Test
    void pruneRefusesItInOneLine() {
        Path out = folder.resolve("out");
        Runs.Outcome outcome = Runs.run("prune", gguf(), "--recipe", "magnitude", "--out", out);
        assertThat(outcome.code()).isEqualTo(Main.USER_ERROR);
        assertThat(outcome.err()).hasLineCount(1).contains("stories260k-f32.gguf", "Hugging Face");
        assertThat(out).doesNotExist();
    }
}
