package org.espalier.prune;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.espalier.checkpoint.DType;
import org.espalier.checkpoint.SafetensorsWriter;
import org.espalier.checkpoint.TensorSpec;
import org.espalier.core.tensor.Tensors;
import org.espalier.network.Decoder;
import org.espalier.network.WeightSource;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** A random float32 checkpoint of any family, tensor by tensor, in memory or as a folder. */
final class TinyCheckpoint implements WeightSource, AutoCloseable {
    private final String config;
    private final Random random;
    private final Map<String, float[]> values = new LinkedHashMap<>();
    private final Map<String, List<Long>> shapes = new LinkedHashMap<>();
    private final Map<String, Tensor> tensors = new HashMap<>();

    TinyCheckpoint(String config, long seed) {
        this.config = config;
        this.random = new Random(seed);
    }

    /** Normal, scaled by the root of the last side. */
    void matrix(String name, long... shape) {
        float[] drawn = new float[size(shape)];
        for (int i = 0; i < drawn.length; i++) {
            drawn[i] =
                    (float) (random.nextGaussian() / Math.sqrt((double) shape[shape.length - 1]));
        }
        put(name, drawn, shape);
    }

    /** Between 0.5 and 1.5. */
    void norm(String name, long width) {
        float[] drawn = new float[(int) width];
        for (int i = 0; i < drawn.length; i++) {
            drawn[i] = 0.5f + random.nextFloat();
        }
        put(name, drawn, width);
    }

    void put(String name, float[] tensor, long... shape) {
        values.put(name, tensor);
        shapes.put(name, Arrays.stream(shape).boxed().toList());
    }

    /** The values themselves; to be changed only before a tensor is asked for. */
    float[] values(String name) {
        float[] found = values.get(name);
        if (found == null) {
            throw new IllegalArgumentException("no tensor " + name);
        }
        return found;
    }

    /** A copy in which some tensors have other values. */
    TinyCheckpoint with(Map<String, float[]> others) {
        TinyCheckpoint copy = new TinyCheckpoint(config, 0);
        values.forEach(
                (name, tensor) -> copy.put(name, others.getOrDefault(name, tensor), shape(name)));
        return copy;
    }

    ObjectNode config() {
        return (ObjectNode) JsonMapper.shared().readTree(config);
    }

    Decoder open() {
        return Decoder.open(config(), this);
    }

    float[] logits(long[] ids) {
        try (Decoder decoder = open();
                PointerScope scope = new PointerScope()) {
            return Tensors.toFloats(decoder.forward(Tensors.longs(ids, 1, ids.length)));
        }
    }

    /** Makes a folder with config.json and model.safetensors. */
    Path write(Path folder) {
        try {
            Files.createDirectory(folder);
            Files.writeString(folder.resolve("config.json"), config);
            List<TensorSpec> specs = new ArrayList<>();
            shapes.forEach((name, shape) -> specs.add(new TensorSpec(name, DType.F32, shape)));
            try (SafetensorsWriter writer =
                    SafetensorsWriter.create(
                            folder.resolve("model.safetensors"), specs, Map.of())) {
                values.keySet().forEach(name -> writer.write(name, tensor(name)));
                writer.commit();
            }
            return folder;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public boolean contains(String name) {
        return values.containsKey(name);
    }

    @Override
    public long[] shape(String name) {
        return Objects.requireNonNull(shapes.get(name), name).stream()
                .mapToLong(Long::longValue)
                .toArray();
    }

    @Override
    public Tensor tensor(String name) {
        return tensors.computeIfAbsent(
                name,
                _ -> {
                    try (PointerScope scope = new PointerScope()) {
                        return Tensors.own(Tensors.floats(values(name), shape(name)));
                    }
                });
    }

    @Override
    public void close() {
        tensors.values().forEach(Tensor::close);
        tensors.clear();
    }

    private static int size(long... shape) {
        int size = 1;
        for (long side : shape) {
            size *= (int) side;
        }
        return size;
    }
}
