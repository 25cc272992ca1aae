package org.espalier.bench;

import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.checkpoint.SafetensorsWriter;
import org.espalier.checkpoint.TensorSpec;
import org.espalier.core.tensor.Tensors;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * Writes a random checkpoint of real proportions, tensor by tensor, as bfloat16 shards of at most 5 GB, and beside it a
 * calibration.jsonl of random token ids. Arguments: shape (tinyllama-1.1b, llama-7b, mixture-16), folder, blocks (0 for
 * those of the original), sequences, tokens per sequence.
 */
public final class RandomCheckpoint {
    private static final long SHARD_BYTES = 5_000_000_000L;
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private RandomCheckpoint() {}

    /** Writes one checkpoint. */
    public static void main(String[] arguments) throws IOException {
        if (arguments.length < 2) {
            throw new IllegalArgumentException("give shape, folder, [blocks, sequences, tokens]");
        }
        CheckpointShape shape = CheckpointShape.of(arguments[0]);
        int[] sizes = {0, 8, 512};
        for (int i = 2; i < arguments.length; i++) {
            sizes[i - 2] = Integer.parseInt(arguments[i]);
        }
        Path folder = Path.of(arguments[1]);
        write(shape, folder, sizes[0] == 0 ? shape.blocks() : sizes[0]);
        calibration(folder.resolve("calibration.jsonl"), shape.vocabulary(), sizes[1], sizes[2]);
    }

    private static void write(CheckpointShape shape, Path folder, int blocks) throws IOException {
        Files.createDirectories(folder);
        Files.writeString(folder.resolve("config.json"), shape.config(blocks).toPrettyString());
        List<List<TensorSpec>> shards = shards(shape.tensors(blocks));
        ObjectNode index = JSON.createObjectNode();
        ObjectNode metadata = index.putObject("metadata");
        ObjectNode weightMap = index.putObject("weight_map");
        long bytes = 0;
        torch.manual_seed(1);
        for (int number = 0; number < shards.size(); number++) {
            String name =
                    String.format(
                            Locale.ROOT,
                            "model-%05d-of-%05d.safetensors",
                            number + 1,
                            shards.size());
            try (SafetensorsWriter writer =
                    SafetensorsWriter.create(folder.resolve(name), shards.get(number), Map.of())) {
                for (TensorSpec spec : shards.get(number)) {
                    writeTensor(writer, spec);
                    weightMap.put(spec.name(), name);
                    bytes += spec.bytes();
                }
                writer.commit();
            }
            System.out.println(name);
        }
        metadata.put("total_size", bytes);
        Files.writeString(folder.resolve("model.safetensors.index.json"), index.toPrettyString());
    }

    /** Matrices are normal with variance 1 / in_features, norms are one. */
    private static void writeTensor(SafetensorsWriter writer, TensorSpec spec) {
        long[] shape = spec.shape().stream().mapToLong(Long::longValue).toArray();
        try (PointerScope scope = new PointerScope()) {
            Tensor values =
                    shape.length == 1
                            ? torch.ones(shape, Tensors.options(ScalarType.Float))
                            : torch.randn(shape, Tensors.options(ScalarType.Float))
                                    .mul_(new Scalar(1 / Math.sqrt((double) shape[1])));
            writer.write(spec.name(), values);
        }
    }

    private static List<List<TensorSpec>> shards(List<TensorSpec> tensors) {
        List<List<TensorSpec>> shards = new ArrayList<>();
        long bytes = SHARD_BYTES;
        for (TensorSpec tensor : tensors) {
            if (bytes + tensor.bytes() > SHARD_BYTES) {
                shards.add(new ArrayList<>());
                bytes = 0;
            }
            shards.getLast().add(tensor);
            bytes += tensor.bytes();
        }
        return shards;
    }

    private static void calibration(Path file, int vocabulary, int sequences, int tokens)
            throws IOException {
        Random random = new Random(1);
        try (BufferedWriter writer = Files.newBufferedWriter(file)) {
            for (int sequence = 0; sequence < sequences; sequence++) {
                int[] ids = random.ints(tokens, 0, vocabulary).toArray();
                writer.write("{\"input_ids\": " + Arrays.toString(ids) + "}\n");
            }
        }
    }
}
