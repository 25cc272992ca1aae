package org.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.espalier.checkpoint.gguf.GgufType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A model that ggml has quantized is run as llama.cpp runs it, pruned, verified and expanded. */
class GgufTypesEndToEndTest {
    private static final int TOKENS = 60;

    @TempDir static Path folder;

    /** As in ExportLlamaCppTest: there activations are rounded to 8 bits. */
    @ParameterizedTest
    @CsvSource({
        "Q4_1, 0.02, 0.3",
        "Q5_0, 0.02, 0.3",
        "Q5_1, 0.02, 0.3",
        "Q5_K, 0.02, 0.3",
        "Q2_K, 0.02, 0.4",
        "Q3_K, 0.02, 0.4",
        "IQ4_NL, 0.02, 0.3",
        "IQ4_XS, 0.02, 0.3",
        "TQ2_0, 0.05, 0.6",
        "TQ1_0, 0.05, 0.6"
    })
    void theModelIsTheSameThere(GgufType type, double mean, double most) throws Exception {
        Path model = GgufFiles.quantized(plain(), () -> type, folder.resolve(type + ".gguf"));
        try (LlamaSession theirs = new LlamaSession(model);
                OpenModel ours = OpenModel.open(model)) {
            long[] ids = Arrays.copyOf(ours.checkpoint().tokenizer().encode(text(), true), TOKENS);
            double[] there = ExportLlamaCppTest.likelihoods(theirs.logits(ids), ids);
            double[] here =
                    ExportLlamaCppTest.likelihoods(ExportLlamaCppTest.logits(ours, ids), ids);
            double sum = 0;
            double largest = 0;
            for (int i = 0; i < here.length; i++) {
                sum += here[i] - there[i];
                largest = Math.max(largest, Math.abs(here[i] - there[i]));
            }
            assertThat(Math.abs(sum) / here.length).as("mean difference").isLessThan(mean);
            assertThat(largest).as("largest difference").isLessThan(most);
        }
    }

    /** One file whose matrices have all these types in turn. */
    @Test
    void aFileOfAllTypesIsPrunedVerifiedAndExpanded() throws Exception {
        List<GgufType> types =
                Stream.of(
                                "Q4_1", "Q5_0", "Q5_1", "Q5_K", "Q2_K", "Q3_K", "IQ4_NL", "IQ4_XS",
                                "TQ2_0", "TQ1_0", "Q6_K")
                        .map(GgufType::valueOf)
                        .toList();
        AtomicInteger next = new AtomicInteger();
        Path model =
                GgufFiles.quantized(
                        plain(),
                        () -> types.get(next.getAndIncrement() % types.size()),
                        folder.resolve("all.gguf"));
        JsonNode stored = json("inspect", model, "--json").path("bytesByType");
        types.forEach(type -> assertThat(stored.has(type.name())).as("%s", type).isTrue());
        Path pruned = folder.resolve("pruned");
        json(
                "prune",
                model,
                "--recipe",
                "magnitude",
                "--windows",
                1,
                "--window",
                64,
                "--text",
                held(),
                "--out",
                pruned,
                "--json");
        json("verify", pruned, "--source", model, "--json");
        Path expanded = folder.resolve("expanded");
        json("export", model, "--to", "safetensors", "--out", expanded, "--json");
        assertThat(perplexity(expanded)).isEqualTo(perplexity(model));
    }

    private static JsonNode perplexity(Path model) {
        return json("evaluate", model, "--text", held(), "--window", 64, "--windows", 2, "--json")
                .path("perplexity");
    }

    private static Path held() {
        return Runs.root().resolve("models/hedgerow-3m/held-out.txt");
    }

    private static String text() throws Exception {
        return Files.readString(held()).substring(0, 1000);
    }

    /** The shipped model in F32; all its rows are multiples of 256. */
    private static Path plain() {
        Path plain = folder.resolve("plain.gguf");
        if (!Files.exists(plain)) {
            Path model = Runs.root().resolve("models/hedgerow-3m");
            json("export", model, "--to", "gguf", "--type", "f32", "--out", plain, "--json");
        }
        return plain;
    }

    private static JsonNode json(Object... arguments) {
        Runs.Outcome outcome = Runs.run(arguments);
        assertThat(outcome.code()).as(outcome.err()).isZero();
        return JsonMapper.shared().readTree(outcome.out());
    }
}
