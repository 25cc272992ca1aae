package org.espalier.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.bytedeco.javacpp.PointerScope;
import org.espalier.checkpoint.DType;
import org.espalier.checkpoint.SafetensorsWriter;
import org.espalier.checkpoint.TensorSpec;
import org.espalier.core.tensor.Tensors;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A random float32 checkpoint on disk in the layout of its family, as its config.json asks. */
final class RandomModel {
    private RandomModel() {}

    /** Writes a model; quotes in {@code config} may be single. */
    static Path write(Path folder, String config, long seed) throws IOException {
        Files.createDirectories(folder);
        JsonNode json = JsonMapper.shared().readTree(config.replace('\'', '"'));
        Files.writeString(folder.resolve("config.json"), json.toString());
        weights(
                folder.resolve("model.safetensors"),
                RandomShapes.of(json),
                json.path("model_type").asString("").startsWith("gemma"),
                new Random(seed));
        return folder;
    }

    private static void weights(
            Path file, Map<String, long[]> shapes, boolean normsLessOne, Random random) {
        List<TensorSpec> plan = new ArrayList<>();
        shapes.forEach((name, shape) ->
                plan.add(new TensorSpec(name, DType.F32, Arrays.stream(shape).boxed().toList())));
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, plan, Map.of());
                PointerScope scope = new PointerScope()) {
            for (TensorSpec spec : plan) {
                boolean norm = spec.shape().size() == 1 && spec.name().endsWith(".weight");
                float[] values = new float[(int) spec.elements()];
                for (int i = 0; i < values.length; i++) {
                    values[i] =
                            (float) ((norm && !normsLessOne ? 1 : 0) + 0.4 * random.nextGaussian());
                }
                long[] shape = spec.shape().stream().mapToLong(Long::longValue).toArray();
                writer.write(spec.name(), Tensors.floats(values, shape));
            }
            writer.commit();
        }
    }
}
