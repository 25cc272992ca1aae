package org.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.espalier.checkpoint.DType;
import org.espalier.checkpoint.SafetensorsFile;
import org.espalier.checkpoint.SafetensorsWriter;
import org.espalier.checkpoint.TensorSpec;
import org.espalier.checkpoint.gguf.GgufValue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** What a GGUF file does not have of a folder is told before it is written. */
class ExportLossesTest {
    private static final JsonMapper JSON = JsonMapper.shared();

    @TempDir Path folder;

    private record Export(String told, JsonNode result, Path file) {}

    private Export export(Path model, String type) {
        Path file = folder.resolve("out-" + type + ".gguf");
        Runs.Outcome outcome =
                Runs.run("export", model, "--to", "gguf", "--type", type, "--out", file, "--json");
        assertThat(outcome.code()).as(outcome.err()).isZero();
        JsonNode result = JSON.readTree(outcome.out());
        for (JsonNode loss : result.path("lost")) {
            assertThat(outcome.err()).contains(loss.asString());
        }
        return new Export(outcome.err(), result, file);
    }

    /** The shipped model, to be changed. */
    private Path copy() throws IOException {
        Path source = Runs.root().resolve("models/hedgerow-3m");
        Path copy = Files.createDirectory(folder.resolve("model"));
        for (String name :
                List.of(
                        "config.json",
                        "model.safetensors",
                        "tokenizer.json",
                        "tokenizer_config.json")) {
            Files.copy(source.resolve(name), copy.resolve(name));
        }
        return copy;
    }

    private static void edit(Path file, Map<String, String> values) {
        ObjectNode json = (ObjectNode) JSON.readTree(file.toFile());
        values.forEach((key, value) -> json.set(key, JSON.readTree(value)));
        JSON.writeValue(file.toFile(), json);
    }

    @Test
    void aPlainModelLosesNothing() throws IOException {
        Export export = export(copy(), "q4_k_m");
        assertThat(export.result().has("lost")).as(export.told()).isFalse();
        assertThat(export.result().path("zerosBefore").asDouble()).isLessThan(0.01);
    }

    @Test
    void aVocabularyThatIsNotThere() throws IOException {
        Path model = copy();
        Files.delete(model.resolve("tokenizer.json"));
        Files.delete(model.resolve("tokenizer_config.json"));
        Export export = export(model, "f16");
        assertThat(export.told()).contains("has no vocabulary");
        assertThat(export.told().indexOf("has no vocabulary"))
                .as("told before the work")
                .isLessThan(export.told().indexOf("writing tensor"));
        assertThat(GgufFiles.metadata(export.file())).doesNotContainKey("tokenizer.ggml.tokens");
    }

    @Test
    void zerosThatATypeDoesNotHold() throws IOException {
        Path pruned = folder.resolve("pruned");
        Runs.Outcome outcome =
                Runs.run(
                        "prune",
                        copy(),
                        "--recipe",
                        "magnitude",
                        "--sparsity",
                        0.5,
                        "--out",
                        pruned);
        assertThat(outcome.code()).as(outcome.err()).isZero();
        Export lossy = export(pruned, "q4_k_m");
        assertThat(lossy.told())
                .contains("50.0 % of the weights in the blocks are zero", "stored as Q4_K");
        assertThat(lossy.result().path("zerosBefore").asDouble()).isCloseTo(0.5, within(1e-3));
        assertThat(lossy.result().path("zerosAfter").asDouble()).isLessThan(0.1);
        for (String type : List.of("q8_0", "q4_0", "f16")) {
            Export export = export(pruned, type);
            assertThat(export.result().has("lost")).as(export.told()).isFalse();
            double after = export.result().path("zerosAfter").asDouble();
            assertThat(after).isBetween(0.5 - 1e-3, 1.0);
            // What was counted while it was written is what the file has.
            JsonNode read = JSON.readTree(Runs.run("inspect", export.file(), "--json").out());
            long weights = 0;
            long zeros = 0;
            for (JsonNode kind : read.path("prunable")) {
                weights += kind.path("weights").asLong();
                zeros += kind.path("zeros").asLong();
            }
            assertThat((double) zeros / weights).isEqualTo(after);
        }
    }

    @Test
    void whatTheFilesBesideSay() throws IOException {
        Path model = copy();
        Files.writeString(
                model.resolve("generation_config.json"),
                "{\"eos_token_id\": [1, 5], \"temperature\": 0.6, \"top_p\": 0.9}");
        edit(
                model.resolve("tokenizer_config.json"),
                Map.of(
                        "chat_template",
                        "[{\"name\": \"default\", \"template\": \"{{ a }}\"},"
                                + " {\"name\": \"tool_use\", \"template\": \"{{ b }}\"}]"));
        ObjectNode tokenizer = (ObjectNode) JSON.readTree(model.resolve("tokenizer.json").toFile());
        ((ObjectNode) tokenizer.path("added_tokens").path(0)).put("rstrip", true);
        JSON.writeValue(model.resolve("tokenizer.json").toFile(), tokenizer);
        Export export = export(model, "f16");
        assertThat(export.told())
                .contains(
                        "samples with temperature 0.6, top_p 0.9",
                        "any of the tokens [1,5]",
                        "1 added token swallows");
        assertThat(export.result().path("lost").size()).isEqualTo(3);
        assertThat(GgufFiles.metadata(export.file()))
                .containsEntry("tokenizer.chat_template", new GgufValue.Text("{{ a }}"))
                .containsEntry("tokenizer.chat_template.tool_use", new GgufValue.Text("{{ b }}"))
                .containsEntry(
                        "tokenizer.chat_templates", new GgufValue.Texts(List.of("tool_use")));
    }

    /** As transformers does with what no module asks for. */
    @Test
    void tensorsThatTheNetworkDoesNotRead() throws IOException {
        Path model = copy();
        try (SafetensorsFile file = SafetensorsFile.open(model.resolve("model.safetensors"))) {
            Path other = model.resolve("other.safetensors");
            String extra = "model.layers.0.self_attn.rotary_emb.inv_freq";
            List<TensorSpec> specs = new ArrayList<>();
            file.tensors()
                    .values()
                    .forEach(tensor ->
                            specs.add(
                                    new TensorSpec(tensor.name(), tensor.dtype(), tensor.shape())));
            specs.add(new TensorSpec(extra, DType.F32, List.of(32L)));
            try (SafetensorsWriter writer = SafetensorsWriter.create(other, specs, Map.of())) {
                for (TensorSpec spec : specs) {
                    writer.writeBytes(
                            spec.name(),
                            spec.name().equals(extra)
                                    ? MemorySegment.ofArray(new byte[128])
                                    : file.segment(spec.name()));
                }
                writer.commit();
            }
        }
        Files.move(
                model.resolve("other.safetensors"),
                model.resolve("model.safetensors"),
                StandardCopyOption.REPLACE_EXISTING);
        Export export = export(model, "f16");
        assertThat(export.told()).contains("1 tensor is left out", "rotary_emb.inv_freq");
        assertThat(GgufFiles.contents(export.file()))
                .extracting(GgufFiles.Content::name)
                .noneMatch(name -> name.contains("rotary"));
    }

    /** And the other way: what a GGUF file has and a folder has not. */
    @Test
    void whatAFolderDoesNotHaveOfAFile() throws IOException {
        Path plain = export(copy(), "f32").file();
        Path file =
                GgufFiles.rewritten(
                        plain,
                        folder.resolve("other.gguf"),
                        tensor -> tensor,
                        metadata -> {
                            metadata.put("general.license", new GgufValue.Text("mit"));
                            metadata.put("tokenizer.ggml.pre", new GgufValue.Text("no-such-one"));
                            return metadata;
                        });
        Path out = folder.resolve("folder");
        Runs.Outcome outcome =
                Runs.run("export", file, "--to", "safetensors", "--out", out, "--json");
        assertThat(outcome.code()).as(outcome.err()).isZero();
        assertThat(outcome.err())
                .contains("tokenizer (kind gpt2, pre-tokenizer no-such-one)", "general.license");
        assertThat(JSON.readTree(outcome.out()).path("left out").toString())
                .contains("no-such-one", "metadata general.license");
        assertThat(out.resolve("tokenizer.json")).doesNotExist();
        assertThat(out.resolve("model.safetensors")).exists();
        Path ids =
                Files.writeString(folder.resolve("ids.jsonl"), "{\"input_ids\": [1, 2, 3, 4]}\n");
        Runs.Outcome evaluated = Runs.run("evaluate", file, "--text", ids, "--json");
        assertThat(evaluated.code()).as(evaluated.err()).isZero();
        Path pruned = folder.resolve("pruned-ids");
        Runs.Outcome prune =
                Runs.run(
                        "prune",
                        file,
                        "--recipe",
                        "magnitude",
                        "--text",
                        ids,
                        "--out",
                        pruned,
                        "--json");
        assertThat(prune.code()).as(prune.err()).isZero();
        assertThat(
                        JSON.readTree(pruned.resolve("espalier.json").toFile())
                                .path("remainder")
                                .path("files")
                                .toString())
                .contains("metadata general.license", "no-such-one");
    }
}
