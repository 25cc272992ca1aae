package org.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.espalier.audit.receipt.LayerEntry;
import org.espalier.audit.receipt.Receipt;
import org.espalier.audit.receipt.ReceiptFile;
import org.espalier.cli.Runs.Outcome;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The main road, on a real model. */
class PruneEndToEndTest {
    private static final JsonMapper JSON = new JsonMapper();

    @TempDir Path folder;

    @Test
    void pruneWritesMeasuresExplainsAndVerifies() throws IOException {
        Path out = folder.resolve("deep/er/out");
        Outcome outcome = prune("wanda", out, "--sparsity", "0.5");
        assertThat(outcome.code()).as(outcome.err()).isZero();
        assertThat(outcome.out())
                .contains("50.00 %", "perplexity  ", "before", "after", "report.html");
        Receipt receipt = ReceiptFile.read(out);
        assertThat(receipt.totals().removed() * 2)
                .isEqualTo(receipt.layers().stream().mapToLong(l -> l.rows() * l.columns()).sum());
        assertThat(receipt.layers()).hasSize(35).allSatisfy(PruneEndToEndTest::isPlausible);
        assertThat(receipt.quality()).isNotNull();
        assertThat(out.resolve("report.html"))
                .content()
                .contains(Runs.model().getFileName() + " pruned with wanda");

        Path source = Runs.model();
        Path text = Runs.text();
        Outcome verified = Runs.run("verify", out, "--source", source, "--text", text);
        assertThat(verified.code()).as(verified.err()).isZero();
        assertThat(verified.out()).contains("35 matrices");
        anyChangeIsFound(out);
    }

    private static void isPlausible(LayerEntry layer) {
        assertThat(layer.sparsity()).isCloseTo(0.5, within(0.5 / layer.columns()));
        assertThat(layer.zeros()).isGreaterThanOrEqualTo(layer.removed());
        assertThat(layer.error()).isBetween(0.001, 0.9);
    }

    private static void anyChangeIsFound(Path out) throws IOException {
        changeIsFound(out, "model.safetensors", 1_000_000);
        changeIsFound(out, "tokenizer.json", 100);
        changeIsFound(out, "config.json", 30);
        changeIsFound(out, "report.html", 500);
        changeIsFound(out, "espalier.json", 200);
        Path added = Files.writeString(out.resolve("added.txt"), "more");
        assertThat(Runs.run("verify", out).err()).contains("added.txt was added");
        Files.delete(added);
        Path report = out.resolve("report.html");
        byte[] page = Files.readAllBytes(report);
        Files.delete(report);
        assertThat(Runs.run("verify", out).err()).contains("report.html is missing");
        Files.write(report, page);
        assertThat(Runs.run("verify", out).code()).isZero();
    }

    private static void changeIsFound(Path out, String name, int at) throws IOException {
        Path file = out.resolve(name);
        byte[] bytes = Files.readAllBytes(file);
        bytes[at] ^= 1;
        Files.write(file, bytes);
        Outcome outcome = Runs.run("verify", out);
        assertThat(outcome.code()).as(name).isEqualTo(Main.USER_ERROR);
        assertThat(outcome.err()).contains(name).contains("was changed");
        bytes[at] ^= 1;
        Files.write(file, bytes);
    }

    @Test
    void twoRunsAgreeInEverythingButTheRun() {
        Path first = folder.resolve("first");
        Path second = folder.resolve("second");
        assertThat(prune("sparsegpt", first, "--pattern", "2:4").code()).isZero();
        assertThat(prune("sparsegpt", second, "--pattern", "2:4").code()).isZero();
        assertThat(first.resolve("model.safetensors"))
                .hasSameBinaryContentAs(second.resolve("model.safetensors"));
        Receipt one = ReceiptFile.read(first);
        assertThat(one)
                .usingRecursiveComparison()
                .ignoringFields("run", "digest")
                .isEqualTo(ReceiptFile.read(second));
        assertThat(one.layers()).allSatisfy(layer -> assertThat(layer.sparsity()).isEqualTo(0.5));
    }

    @Test
    void theResultIsOneJsonObject() {
        Path out = folder.resolve("out");
        Outcome outcome = prune("magnitude", out, "--dtype", "float16", "--json");
        assertThat(outcome.code()).as(outcome.err()).isZero();
        JsonNode receipt = JSON.readTree(outcome.out()).path("receipt");
        JsonNode totals = receipt.path("totals");
        assertThat(totals.path("sparsity").asDouble()).isEqualTo(0.5);
        assertThat(receipt.path("calibration").isNull()).isTrue();
        assertThat(totals.path("bytesAfter").asLong()).isPositive();
        JsonNode types =
                JSON.readTree(Runs.run("inspect", out, "--json").out()).path("bytesByType");
        assertThat(types.propertyNames()).containsExactly("F16");
        assertThat(Runs.run("verify", out).code()).isZero();
    }

    @Test
    void theDenseModelHasThePublishedPerplexity() throws IOException {
        Path model = Runs.data("lm-stories260k");
        Path text = Runs.data("text-tinystories/sample.txt");
        JsonNode baseline = JSON.readTree(Files.readString(model.resolve("baseline.json")));
        Outcome outcome =
                Runs.run(
                        "evaluate",
                        model,
                        "--text",
                        text,
                        "--windows",
                        24,
                        "--against",
                        model,
                        "--json");
        assertThat(outcome.code()).as(outcome.err()).isZero();
        JsonNode json = JSON.readTree(outcome.out());
        JsonNode perplexity = json.path("perplexity");
        assertThat(perplexity.path("value").asDouble())
                .isCloseTo(baseline.path("perplexity").path("dense").asDouble(), within(5e-5));
        assertThat(perplexity.path("predictions").asInt()).isEqualTo(24 * 511);
        assertThat(json.path("divergence").path("maximum").asDouble()).isZero();
        assertThat(json.path("divergence").path("sameTop").asDouble()).isEqualTo(1);
    }

    @Test
    void aModelWithoutTokenizerIsMeasuredOnIds() throws IOException {
        Path ids =
                Files.writeString(
                        folder.resolve("ids.jsonl"),
                        "{\"input_ids\": [0, 2, 1, 0, 1, 0, 0, 0, 1]}\n{\"input_ids\": [2, 2, 1]}\n");
        Outcome outcome =
                Runs.run("evaluate", Runs.data("lm-gpt-nano-sort"), "--text", ids, "--json");
        assertThat(outcome.code()).as(outcome.err()).isZero();
        JsonNode json = JSON.readTree(outcome.out());
        assertThat(json.path("perplexity").path("predictions").asInt()).isEqualTo(10);
        assertThat(json.path("protocol").path("beginning").asString()).isEqualTo("as given");
    }

    @Test
    void generationIsTheSameForTheSameSeed() {
        Object[] arguments = {
            "generate",
            Runs.model(),
            "--prompt",
            "Once upon a time",
            "--max-tokens",
            40,
            "--temperature",
            0.8,
            "--seed",
            7
        };
        Outcome outcome = Runs.run(arguments);
        assertThat(outcome.code()).as(outcome.err()).isZero();
        assertThat(outcome.out()).startsWith("Once upon a time").hasSizeGreaterThan(60);
        assertThat(Runs.run(arguments).out()).isEqualTo(outcome.out());
    }

    @Test
    void inspectCountsWhatIsThere() {
        Outcome outcome = Runs.run("inspect", Runs.shipped(), "--json");
        assertThat(outcome.code()).as(outcome.err()).isZero();
        JsonNode json = JSON.readTree(outcome.out());
        assertThat(json.path("parameters").asLong()).isEqualTo(3_214_080);
        assertThat(json.path("prunable")).hasSize(7);
    }

    @Test
    void inspectKnowsAnOlderFamily() {
        assertThat(Runs.run("inspect", Runs.data("lm-gpt-nano-sort")).out())
                .contains("gpt2", "85,728");
    }

    @Test
    void everyShippedRecipeIsListedAndGood() {
        JsonNode recipes = JSON.readTree(Runs.run("recipes", "list", "--json").out());
        assertThat(recipes.path("recipes").size()).isGreaterThan(8);
        for (JsonNode recipe : recipes.path("recipes")) {
            String name = recipe.path("name").asString();
            assertThat(Runs.run("recipes", "check", name).out()).contains("is good");
            assertThat(Runs.run("recipes", "show", name).out()).contains("name: " + name);
        }
    }

    private static Outcome prune(String recipe, Path out, Object... options) {
        Path text = Runs.text();
        Object[] fixed = {
            "prune",
            Runs.model(),
            "--recipe",
            recipe,
            "--calibration",
            text,
            "--samples",
            4,
            "--sequence-length",
            128,
            "--text",
            text,
            "--windows",
            4,
            "--out",
            out
        };
        Object[] arguments = Arrays.copyOf(fixed, fixed.length + options.length);
        System.arraycopy(options, 0, arguments, fixed.length, options.length);
        return Runs.run(arguments);
    }
}
