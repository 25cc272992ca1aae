package org.espalier.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import org.bytedeco.javacpp.PointerScope;
import org.espalier.checkpoint.DType;
import org.espalier.checkpoint.SafetensorsWriter;
import org.espalier.checkpoint.TensorSpec;
import org.espalier.core.tensor.Tensors;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * A random Llama on disk, too small to be good for anything but being pruned quickly: bfloat16 in two shards that
 * interleave the blocks, and token ids to calibrate and measure on.
 */
final class TinyCheckpoint {
    static final int BLOCKS = 6;
    private static final int VOCABULARY = 29;
    private static final int HIDDEN = 24;
    private static final int INTERMEDIATE = 40;

    private final Random random;
    private final Map<String, long[]> shapes = new LinkedHashMap<>();

    private TinyCheckpoint(long seed) {
        random = new Random(seed);
    }

    /** Writes the model to {@code folder} and its token ids beside it. */
    static Path write(Path folder, long seed) throws IOException {
        Files.createDirectories(folder);
        TinyCheckpoint model = new TinyCheckpoint(seed);
        model.shapes();
        model.weights(folder);
        Files.writeString(folder.resolve("config.json"), CONFIG);
        Files.writeString(folder.resolve("LICENSE"), "free");
        return folder;
    }

    /** Writes token ids as a file of calibration or evaluation sequences. */
    static Path ids(Path file, int sequences, long seed) throws IOException {
        Random random = new Random(seed);
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < sequences; i++) {
            String ids =
                    random.ints(i % 3 == 1 ? 13 : 20, 0, VOCABULARY)
                            .mapToObj(Integer::toString)
                            .collect(Collectors.joining(", "));
            lines.add("{\"input_ids\": [" + ids + "]}");
        }
        return Files.write(file, lines);
    }

    private static final String CONFIG =
            """
            {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "vocab_size": 29, "hidden_size": 24,
             "intermediate_size": 40, "num_hidden_layers": 6, "num_attention_heads": 3,
             "num_key_value_heads": 1, "max_position_embeddings": 64, "rms_norm_eps": 1e-5,
             "rope_theta": 10000.0, "tie_word_embeddings": false, "torch_dtype": "bfloat16"}
            """;

    private void shapes() {
        shapes.put("model.embed_tokens.weight", new long[] {VOCABULARY, HIDDEN});
        shapes.put("lm_head.weight", new long[] {VOCABULARY, HIDDEN});
        shapes.put("model.norm.weight", new long[] {HIDDEN});
        for (int block = 0; block < BLOCKS; block++) {
            String prefix = "model.layers." + block + ".";
            shapes.put(prefix + "input_layernorm.weight", new long[] {HIDDEN});
            shapes.put(prefix + "post_attention_layernorm.weight", new long[] {HIDDEN});
            shapes.put(prefix + "self_attn.q_proj.weight", new long[] {HIDDEN, HIDDEN});
            shapes.put(prefix + "self_attn.k_proj.weight", new long[] {8, HIDDEN});
            shapes.put(prefix + "self_attn.v_proj.weight", new long[] {8, HIDDEN});
            shapes.put(prefix + "self_attn.o_proj.weight", new long[] {HIDDEN, HIDDEN});
            shapes.put(prefix + "mlp.gate_proj.weight", new long[] {INTERMEDIATE, HIDDEN});
            shapes.put(prefix + "mlp.up_proj.weight", new long[] {INTERMEDIATE, HIDDEN});
            shapes.put(prefix + "mlp.down_proj.weight", new long[] {HIDDEN, INTERMEDIATE});
        }
    }

    private void weights(Path folder) throws IOException {
        Map<String, List<String>> shards = new LinkedHashMap<>();
        ObjectNode index = JsonMapper.shared().createObjectNode();
        ObjectNode map = index.putObject("weight_map");
        int number = 0;
        for (String name : shapes.keySet()) {
            String shard = "model-0000" + (1 + number++ % 2) + "-of-00002.safetensors";
            shards.computeIfAbsent(shard, key -> new ArrayList<>()).add(name);
            map.put(name, shard);
        }
        Files.writeString(folder.resolve("model.safetensors.index.json"), index.toString());
        for (Map.Entry<String, List<String>> shard : shards.entrySet()) {
            shard(folder.resolve(shard.getKey()), shard.getValue());
        }
    }

    private void shard(Path file, List<String> names) {
        List<TensorSpec> plan =
                names.stream()
                        .map(name -> new TensorSpec(name, DType.BF16, dimensions(name)))
                        .toList();
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, plan, Map.of());
                PointerScope scope = new PointerScope()) {
            for (TensorSpec spec : plan) {
                float[] values = new float[(int) spec.elements()];
                boolean norm = spec.shape().size() == 1;
                for (int i = 0; i < values.length; i++) {
                    values[i] = (float) (norm ? 1 : random.nextGaussian() / Math.sqrt(HIDDEN));
                }
                long[] shape = spec.shape().stream().mapToLong(Long::longValue).toArray();
                writer.write(spec.name(), Tensors.floats(values, shape));
            }
            writer.commit();
        }
    }

    private List<Long> dimensions(String name) {
        List<Long> dimensions = new ArrayList<>();
        for (long size : shapes.getOrDefault(name, new long[0])) {
            dimensions.add(size);
        }
        return dimensions;
    }
}
