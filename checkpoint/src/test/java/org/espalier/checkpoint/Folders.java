package org.espalier.checkpoint;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** Small checkpoints for tests. */
final class Folders {
    static final List<String> SHARDS =
            List.of(
                    "model-00001-of-00003.safetensors",
                    "model-00002-of-00003.safetensors",
                    "model-00003-of-00003.safetensors");

    /** Bytes of all tensors of {@link #sharded}. */
    static final long BYTES = 24 + 24 + 12 + 16;

    static final String INDEX =
            """
            {"metadata": {"total_size": 76},
             "weight_map": {
               "layer.2.ids": "model-00003-of-00003.safetensors",
               "layer.0.proj.weight": "model-00001-of-00003.safetensors",
               "layer.1.norm.weight": "model-00002-of-00003.safetensors",
               "layer.1.proj.weight": "model-00002-of-00003.safetensors"}}
            """;

    static final String CONFIG =
            """
            {"model_type": "llama",   "torch_dtype": "float32", "epsilon": 1e-05}
            """;

    private Folders() {}

    /** Three shards with three float32 matrices and vectors and one list of integers. */
    static void sharded(Path folder) {
        Bytes.write(folder, "config.json", CONFIG);
        Bytes.write(folder, Shards.INDEX, INDEX);
        Bytes.write(
                folder,
                SHARDS.get(0),
                floats(
                        "{\"layer.0.proj.weight\":{\"dtype\":\"F32\",\"shape\":[3,2],\"data_offsets\":[0,24]}}",
                        1,
                        2,
                        3,
                        4,
                        5,
                        6));
        Bytes.write(
                folder,
                SHARDS.get(1),
                floats(
                        "{\"layer.1.proj.weight\":{\"dtype\":\"F32\",\"shape\":[3,2],\"data_offsets\":[12,36]},"
                                + "\"layer.1.norm.weight\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12]}}",
                        7,
                        8,
                        9,
                        1,
                        2,
                        3,
                        4,
                        5,
                        6));
        Bytes.write(
                folder,
                SHARDS.get(2),
                Bytes.file(
                        "{\"layer.2.ids\":{\"dtype\":\"I64\",\"shape\":[2],\"data_offsets\":[0,16]}}",
                        16));
    }

    static byte[] floats(String header, float... values) {
        ByteBuffer data = ByteBuffer.allocate(values.length * 4).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
            data.putFloat(value);
        }
        return Bytes.file(header.getBytes(StandardCharsets.UTF_8), data.array());
    }
}
