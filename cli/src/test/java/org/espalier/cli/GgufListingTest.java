package org.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.espalier.checkpoint.gguf.GgufType;
import org.espalier.checkpoint.gguf.GgufValue;
import org.espalier.checkpoint.gguf.GgufValueType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code inspect} names what it can of every GGUF file; the other commands say in one line what it is. */
class GgufListingTest {
    @TempDir Path folder;

    private static GgufFiles.Content tensor(String name, GgufType type, long... extents) {
        List<Long> all = Arrays.stream(extents).boxed().toList();
        long elements = all.stream().reduce(1L, Math::multiplyExact);
        return new GgufFiles.Content(
                name,
                type,
                all,
                new byte[(int) (elements / type.blockElements() * type.blockBytes())]);
    }

    private Path write(Map<String, String> texts, GgufFiles.Content... tensors) {
        Map<String, GgufValue> metadata = new LinkedHashMap<>();
        texts.forEach((key, value) -> metadata.put(key, new GgufValue.Text(value)));
        metadata.put("bert.block_count", new GgufValue.Whole(2, GgufValueType.U32));
        return GgufFiles.write(folder.resolve("m.gguf"), metadata, List.of(tensors));
    }

    private static String listed(Path file, String... parts) {
        Runs.Outcome outcome = Runs.run("inspect", file);
        assertThat(outcome.code()).as(outcome.err()).isZero();
        assertThat(outcome.out()).startsWith("model        " + file.getFileName()).contains(parts);
        return outcome.out();
    }

    private void refused(Path file, String... parts) {
        List<Object[]> commands =
                List.of(
                        new Object[] {"evaluate", file, "--text", file},
                        new Object[] {"generate", file, "--prompt", "a"},
                        new Object[] {"prune", file, "--recipe", "magnitude"},
                        new Object[] {"inspect", file, "--plan"},
                        new Object[] {"export", file, "--to", "safetensors"});
        for (Object[] command : commands) {
            Runs.Outcome outcome = Runs.run(command);
            assertThat(outcome.code()).isEqualTo(Main.USER_ERROR);
            assertThat(outcome.err()).hasLineCount(1).contains(parts);
        }
        assertThat(folder.toFile().list()).hasSize(1);
    }

    @Test
    void anotherArchitecture() {
        Path file =
                write(
                        Map.of("general.architecture", "bert", "general.name", "Bert"),
                        tensor("blk.0.attn_q.weight", GgufType.Q4_0, 64, 32),
                        tensor("blk.1.attn_q.weight", GgufType.Q4_0, 64, 32),
                        tensor("norm.weight", GgufType.F32, 64));
        String out =
                listed(
                        file,
                        "architecture bert",
                        "called       Bert",
                        "4,160 in 3 tensors",
                        "block_count 2",
                        "Q4_0, 2.3 kB, 2 tensors",
                        "listed only  ");
        assertThat(out).containsPattern("blk\\.\\*\\.attn_q\\.weight +2 +32x64 +Q4_0");
        JsonNode json = JsonMapper.shared().readTree(Runs.run("inspect", file, "--json").out());
        assertThat(json.path("computable").asBoolean()).isFalse();
        assertThat(json.path("bytesByType").path("Q4_0").asLong()).isEqualTo(2304);
        assertThat(json.path("tensors").path(0).path("shape").toString()).isEqualTo("[32,64]");
        refused(file, "architecture 'bert'", "give a model of llama");
    }

    @Test
    void typesThatCannotBeComputed() {
        Path hub = Runs.root().resolve("models/hedgerow-3m");
        Path plain = folder.resolve("plain.gguf");
        assertThat(Runs.run("export", hub, "--to", "gguf", "--type", "f32", "--out", plain).code())
                .isZero();
        List<GgufFiles.Content> contents = new ArrayList<>();
        for (GgufFiles.Content content : GgufFiles.contents(plain)) {
            contents.add(
                    content.name().contains("ffn_up")
                            ? tensor(content.name(), GgufType.IQ2_XS, 256, 512)
                            : content);
        }
        Path file = GgufFiles.write(folder.resolve("m.gguf"), GgufFiles.metadata(plain), contents);
        assertThat(plain.toFile().delete()).isTrue();
        listed(
                file,
                "architecture llama",
                "IQ2_XS, 189.4 kB, 5 tensors, listed only",
                "tokenizer    1,024 tokens (gpt2)",
                "which can be listed but not computed");
        refused(file, "ffn_up.weight", "IQ2_XS", "get the model as Q8_0");
    }

    @Test
    void whatIsNoModel() throws Exception {
        Path adapter =
                write(
                        Map.of(
                                "general.type", "adapter",
                                "general.architecture", "llama",
                                "adapter.type", "lora"),
                        tensor("blk.0.attn_q.weight.lora_a", GgufType.F32, 8, 2));
        listed(adapter, "(adapter, architecture llama)", "attn_q.weight.lora_a");
        refused(adapter, "is an adapter (lora)", "llama-export-lora");
        Files.delete(adapter);
        Path imatrix =
                write(
                        Map.of("general.type", "imatrix"),
                        tensor("blk.0.attn_q.weight.in_sum2", GgufType.F32, 8));
        listed(imatrix, "(imatrix, no architecture named)", "in_sum2");
        refused(imatrix, "is an importance matrix", "--imatrix");
        Files.delete(imatrix);
        Path projector =
                write(
                        Map.of("general.architecture", "clip", "general.type", "mmproj"),
                        tensor("v.blk.0.attn_q.weight", GgufType.F16, 8, 8));
        listed(projector, "mmproj, architecture clip", "v.blk.*.attn_q.weight");
        refused(projector, "projector");
    }

    @Test
    void aFileThatIsDamagedIsNotListed() throws Exception {
        Path file =
                write(
                        Map.of("general.architecture", "bert"),
                        tensor("norm.weight", GgufType.F32, 64));
        byte[] bytes = Files.readAllBytes(file);
        Files.write(file, Arrays.copyOf(bytes, bytes.length - 100));
        Runs.Outcome outcome = Runs.run("inspect", file);
        assertThat(outcome.code()).isEqualTo(Main.USER_ERROR);
        assertThat(outcome.err()).hasLineCount(1).contains("so 100 are missing");
    }
}
