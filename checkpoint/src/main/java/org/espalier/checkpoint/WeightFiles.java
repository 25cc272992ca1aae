package org.espalier.checkpoint;

import java.util.Locale;
import java.util.Set;

/** Tells the files that hold weights, in whatever format, from those that lie beside them. */
final class WeightFiles {
    private static final Set<String> EXTENSIONS =
            Set.of(
                    "safetensors",
                    "bin",
                    "gguf",
                    "pt",
                    "pth",
                    "ckpt",
                    "h5",
                    "msgpack",
                    "ot",
                    "onnx",
                    "onnx_data",
                    "npz");

    private WeightFiles() {}

    /** Whether a file of this name holds weights, or lists the files that do. */
    static boolean isWeights(String fileName) {
        String name = fileName.toLowerCase(Locale.ROOT);
        if (name.endsWith(".index.json")) {
            return true;
        }
        return EXTENSIONS.contains(name.substring(name.lastIndexOf('.') + 1));
    }
}
