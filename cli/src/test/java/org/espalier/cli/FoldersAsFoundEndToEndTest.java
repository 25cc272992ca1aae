package org.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.DType;
import org.espalier.checkpoint.SafetensorsFile;
import org.espalier.checkpoint.SafetensorsWriter;
import org.espalier.checkpoint.TensorInfo;
import org.espalier.checkpoint.TensorSpec;
import org.espalier.core.tensor.Tensors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Folders as people have them, through every command: read, or refused alike; what is not used is named. */
class FoldersAsFoundEndToEndTest {
    private static final String CONFIG =
            "{'model_type': 'llama', 'vocab_size': 24, 'hidden_size': 16, 'intermediate_size': 12,"
                    + " 'num_hidden_layers': %d, 'num_attention_heads': 4, 'num_key_value_heads': 2,"
                    + " 'tie_word_embeddings': true, 'torch_dtype': 'float32'%s}";

    @TempDir Path folder;
    private Path model = Path.of("");
    private Path ids = Path.of("");

    @BeforeEach
    void write() throws IOException {
        model = RandomModel.write(folder.resolve("model"), CONFIG.formatted(2, ""), 5);
        ids = folder.resolve("ids.jsonl");
        Files.writeString(ids, "{\"input_ids\": [1, 5, 9, 2, 20, 7, 3, 11, 4, 8]}\n".repeat(3));
    }

    @Test
    void fp8IsReadWithItsScalesAndWrittenDense() throws IOException {
        String plain = perplexity(model);
        Path coded = folder.resolve("coded");
        Path same = folder.resolve("same");
        code(coded, same);
        assertThat(perplexity(coded)).isEqualTo(perplexity(same)).isNotEqualTo(plain);
        Path out = folder.resolve("out");
        Runs.Outcome pruned =
                Runs.run("prune", coded, "--recipe", "magnitude", "--sparsity", 0.5, "--out", out);
        assertThat(pruned.code()).as(pruned.err()).isZero();
        assertThat(pruned.out()).contains("left out", "hf_quant_config.json");
        assertThat(Files.readString(out.resolve("config.json"))).doesNotContain("quantization");
        assertThat(Files.readString(out.resolve("espalier.json")))
                .contains("with their scales as F32");
        assertThat(out.resolve("hf_quant_config.json")).doesNotExist();
        try (Checkpoint written = Checkpoint.open(out)) {
            assertThat(written.bytesByType()).containsOnlyKeys("F32");
            assertThat(written.tensors().keySet()).noneMatch(name -> name.endsWith("scale"));
        }
        assertThat(Runs.run("verify", out, "--source", coded).code()).isZero();
        Path exported = folder.resolve("exported");
        Runs.Outcome export =
                Runs.run(
                        "export",
                        coded,
                        "--to",
                        "safetensors",
                        "--type",
                        "bf16",
                        "--out",
                        exported);
        assertThat(export.code()).as(export.err()).isZero();
        try (Checkpoint written = Checkpoint.open(exported)) {
            assertThat(written.bytesByType()).containsOnlyKeys("BF16");
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = DType.class,
            names = {"F16", "BF16", "F32", "F64"},
            mode = EnumSource.Mode.EXCLUDE)
    void codesWithoutScalesAreRefusedByEveryCommandAndListed(DType type) throws IOException {
        retype("model.layers.1.mlp.down_proj.weight", type);
        Path out = folder.resolve("out");
        Object[][] commands = {
            {"evaluate", model, "--text", ids},
            {"generate", model, "--prompt", "a"},
            {"prune", model, "--recipe", "magnitude", "--out", out},
            {"export", model, "--to", "safetensors", "--type", "bf16", "--out", out},
            {"export", model, "--to", "gguf", "--out", out},
            {"inspect", model, "--plan"}
        };
        for (Object[] command : commands) {
            Runs.Outcome outcome = Runs.run(command);
            assertThat(outcome.code()).as(outcome.err()).isEqualTo(Main.USER_ERROR);
            assertThat(outcome.err().lines()).hasSize(1);
            assertThat(outcome.err()).contains("down_proj.weight is stored as " + type);
        }
        assertThat(out).doesNotExist();
        Runs.Outcome listed = Runs.run("inspect", model);
        assertThat(listed.code()).isZero();
        assertThat(listed.out()).contains("listed only", "is stored as " + type, "model (llama)");
        assertThat(Runs.run("inspect", model, "--json").out()).contains("\"computable\" : false");
    }

    @Test
    void whatIsNotUsedIsNamedAndInTheReceipt() throws IOException {
        RandomModel.write(folder.resolve("three"), CONFIG.formatted(3, ""), 5);
        Path three = folder.resolve("three");
        Files.copy(
                model.resolve("config.json"),
                three.resolve("config.json"),
                java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        Files.copy(three.resolve("model.safetensors"), three.resolve("projector.safetensors"));
        assertThat(Runs.run("evaluate", three, "--text", ids).err())
                .contains("more blocks than the 2 that config.json names")
                .contains("not used by the network: model.layers.2 (9 tensors)");
        assertThat(Runs.run("inspect", three).err())
                .contains("weight files that are not read: projector.safetensors");
        Path out = folder.resolve("out");
        Runs.Outcome pruned = Runs.run("prune", three, "--recipe", "magnitude", "--out", out);
        assertThat(pruned.out()).contains("unused", "model.layers.2 (9 tensors)", "projector");
        assertThat(Files.readString(out.resolve("espalier.json")))
                .contains("\"model.layers.2 (9 tensors)\"", "\"projector.safetensors\"");
        assertThat(out.resolve("projector.safetensors")).doesNotExist();
        Runs.Outcome verified = Runs.run("verify", out, "--source", three);
        assertThat(verified.code()).as(verified.err()).isZero();
        assertThat(verified.out()).contains("model.layers.2 (9 tensors)", "projector.safetensors");
    }

    @Test
    void aHeadThatDiffersFromTheEmbeddingIsTheHead() throws IOException {
        String tied = perplexity(model);
        Map<String, TensorSpec> more = new LinkedHashMap<>();
        more.put("lm_head.weight", new TensorSpec("lm_head.weight", DType.F32, List.of(24L, 16L)));
        rewrite(model, model, more, (name, tensor) -> tensor);
        assertThat(perplexity(model)).isNotEqualTo(tied);
        assertThat(Runs.run("evaluate", model, "--text", ids).err()).contains("ties the head");
    }

    @Test
    void aPrefixBeforeAllTensorsIsOneHint() throws IOException {
        for (String prefix : new String[] {"_orig_mod.", "module.", "base_model.model."}) {
            Path wrapped = folder.resolve(prefix + "dir");
            Files.createDirectories(wrapped);
            Files.copy(model.resolve("config.json"), wrapped.resolve("config.json"));
            try (SafetensorsFile file = SafetensorsFile.open(model.resolve("model.safetensors"));
                    PointerScope scope = new PointerScope()) {
                List<TensorSpec> plan =
                        file.tensors().values().stream()
                                .map(info ->
                                        new TensorSpec(
                                                prefix + info.name(), info.dtype(), info.shape()))
                                .toList();
                try (SafetensorsWriter writer =
                        SafetensorsWriter.create(
                                wrapped.resolve("model.safetensors"), plan, Map.of())) {
                    for (String name : file.tensors().keySet()) {
                        writer.writeBytes(prefix + name, file.segment(name));
                    }
                    writer.commit();
                }
            }
            Runs.Outcome outcome = Runs.run("evaluate", wrapped, "--text", ids);
            assertThat(outcome.code()).isEqualTo(Main.USER_ERROR);
            assertThat(outcome.err()).contains("'" + prefix + "' before their names");
            assertThat(outcome.err()).doesNotContain("is missing");
        }
    }

    @Test
    void nullsAndWholeNumbersWithAPointMeanWhatTheyMeanToOthers() throws IOException {
        String plain = perplexity(model);
        String odd =
                CONFIG.formatted(
                                2,
                                ", 'attention_bias': null, 'rope_theta': null, 'head_dim': null,"
                                        + " 'rope_scaling': {}, 'rms_norm_eps': null, 'hidden_act': null,"
                                        + " 'max_position_embeddings': 2048.0, 'quantization_config': {}")
                        .replace("'vocab_size': 24", "'vocab_size': 24.0");
        Files.writeString(model.resolve("config.json"), odd.replace('\'', '"'));
        assertThat(perplexity(model)).isEqualTo(plain);
    }

    @Test
    void aBareFileIsListed() {
        Runs.Outcome listed = Runs.run("inspect", model.resolve("model.safetensors"));
        assertThat(listed.code()).isZero();
        assertThat(listed.out()).contains("model.layers.*.mlp.up_proj.weight", "12x16", "F32");
        assertThat(listed.out()).contains("give its folder");
    }

    private String perplexity(Path path) {
        Runs.Outcome outcome = Runs.run("evaluate", path, "--text", ids);
        assertThat(outcome.code()).as(outcome.err()).isZero();
        return outcome.out().lines().findFirst().orElseThrow();
    }

    /** Writes the model twice: as codes with a scale for each tensor, and as the numbers that these stand for. */
    private void code(Path coded, Path same) throws IOException {
        Map<String, TensorSpec> none = Map.of();
        rewrite(
                model,
                same,
                none,
                (name, tensor) -> {
                    if (!isMatrix(name)) {
                        return tensor;
                    }
                    return tensor.mul(new Scalar(4.0))
                            .to(e4m3())
                            .to(float32())
                            .mul(new Scalar(0.25f));
                });
        Files.createDirectories(coded);
        Files.copy(model.resolve("config.json"), coded.resolve("config.json"));
        Files.writeString(
                coded.resolve("hf_quant_config.json"),
                "{\"quantization\": {\"quant_algo\": \"FP8\"}}");
        try (SafetensorsFile file = SafetensorsFile.open(model.resolve("model.safetensors"));
                PointerScope scope = new PointerScope()) {
            List<TensorSpec> plan = new ArrayList<>();
            for (TensorInfo info : file.tensors().values()) {
                DType type = isMatrix(info.name()) ? DType.F8_E4M3 : info.dtype();
                plan.add(new TensorSpec(info.name(), type, info.shape()));
                if (isMatrix(info.name())) {
                    plan.add(new TensorSpec(info.name() + "_scale", DType.F32, List.of()));
                }
            }
            try (SafetensorsWriter writer =
                    SafetensorsWriter.create(coded.resolve("model.safetensors"), plan, Map.of())) {
                for (String name : file.tensors().keySet()) {
                    Tensor tensor = file.tensor(name);
                    writer.write(name, isMatrix(name) ? tensor.mul(new Scalar(4.0)) : tensor);
                    if (isMatrix(name)) {
                        writer.write(
                                name + "_scale", Tensors.floats(new float[] {0.25f}, new long[0]));
                    }
                }
                writer.commit();
            }
        }
    }

    private static boolean isMatrix(String name) {
        return name.endsWith("_proj.weight");
    }

    private static org.bytedeco.pytorch.global.torch.ScalarType e4m3() {
        return DType.F8_E4M3.scalarType().orElseThrow();
    }

    private static org.bytedeco.pytorch.global.torch.ScalarType float32() {
        return DType.F32.scalarType().orElseThrow();
    }

    /** What becomes of a tensor. */
    private interface Change {
        Tensor of(String name, Tensor tensor);
    }

    /** Writes the model anew, with further tensors of ones. */
    private static void rewrite(Path from, Path to, Map<String, TensorSpec> further, Change change)
            throws IOException {
        Files.createDirectories(to);
        if (!from.equals(to)) {
            Files.copy(from.resolve("config.json"), to.resolve("config.json"));
        }
        Path target = to.resolve("new.safetensors");
        try (SafetensorsFile file = SafetensorsFile.open(from.resolve("model.safetensors"));
                PointerScope scope = new PointerScope()) {
            List<TensorSpec> plan = new ArrayList<>(further.values());
            file.tensors()
                    .values()
                    .forEach(info ->
                            plan.add(new TensorSpec(info.name(), info.dtype(), info.shape())));
            try (SafetensorsWriter writer = SafetensorsWriter.create(target, plan, Map.of())) {
                for (TensorSpec spec : further.values()) {
                    float[] ones = new float[(int) spec.elements()];
                    for (int i = 0; i < ones.length; i++) {
                        ones[i] = i % 7 - 3;
                    }
                    long[] shape = spec.shape().stream().mapToLong(Long::longValue).toArray();
                    writer.write(spec.name(), Tensors.floats(ones, shape));
                }
                for (String name : file.tensors().keySet()) {
                    writer.write(name, change.of(name, file.tensor(name)));
                }
                writer.commit();
            }
        }
        Files.move(
                target,
                to.resolve("model.safetensors"),
                java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    }

    /** Stores one matrix as bytes of another type. */
    private void retype(String changed, DType type) throws IOException {
        Path target = model.resolve("new.safetensors");
        try (SafetensorsFile file = SafetensorsFile.open(model.resolve("model.safetensors"))) {
            List<TensorSpec> plan =
                    file.tensors().values().stream()
                            .map(info ->
                                    new TensorSpec(
                                            info.name(),
                                            info.name().equals(changed) ? type : info.dtype(),
                                            info.shape()))
                            .toList();
            try (SafetensorsWriter writer = SafetensorsWriter.create(target, plan, Map.of())) {
                for (TensorSpec spec : plan) {
                    writer.writeBytes(
                            spec.name(),
                            spec.name().equals(changed)
                                    ? MemorySegment.ofArray(new byte[(int) spec.bytes()])
                                    : file.segment(spec.name()));
                }
                writer.commit();
            }
        }
        Files.move(
                target,
                model.resolve("model.safetensors"),
                java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    }
}
