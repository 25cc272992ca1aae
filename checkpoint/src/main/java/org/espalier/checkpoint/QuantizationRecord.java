package org.espalier.checkpoint;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What a folder says of its own quantization, in config.json or in a file of the quantizer beside it. It names the
 * format; whether weights are codes only the tensors tell.
 */
final class QuantizationRecord {
    /** Files that quantizers leave and that runtimes take for a sign that the weights are codes. */
    static final Set<String> SIDE_FILES =
            Set.of(
                    "hf_quant_config.json",
                    "quantize_config.json",
                    "quant_config.json",
                    "quantization_config.json");

    /** Keys of config.json: of transformers, of older compressed-tensors, and of MLX. */
    private static final List<String> KEYS =
            List.of("quantization_config", "compression_config", "quantization");

    /** Multimodal configurations say it of their language model here. */
    private static final String TEXT = "text_config";

    private QuantizationRecord() {}

    /** The format that config.json or a side file names; null where nothing is said. */
    static @Nullable String format(ObjectNode config, ModelFolder folder) {
        for (JsonNode record : records(config)) {
            String method = text(record, "quant_method");
            String format = text(record, "format");
            if (method != null && format != null) {
                return method + " " + format;
            }
            if (method != null || format != null) {
                return method == null ? format : method;
            }
        }
        if (config.has("quantization")) {
            return "MLX";
        }
        for (String name : SIDE_FILES.stream().sorted().toList()) {
            if (folder.has(name)) {
                return ofSideFile(name, folder);
            }
        }
        return records(config).isEmpty() ? null : "quantization_config";
    }

    /** The size of the blocks that share a scale, rows and columns; null where config.json does not say it. */
    static long @Nullable [] blocks(ObjectNode config) {
        for (JsonNode record : records(config)) {
            long[] blocks = pair(record.get("weight_block_size"));
            if (record.get("config_groups") instanceof ObjectNode groups) {
                for (JsonNode group : groups) {
                    long[] inGroup = pair(group.path("weights").get("block_structure"));
                    blocks = blocks == null ? inGroup : blocks;
                }
            }
            if (blocks != null) {
                return blocks;
            }
        }
        return null;
    }

    /** A copy of config.json that says nothing of a quantization. */
    static ObjectNode without(ObjectNode config) {
        ObjectNode plain = config.deepCopy();
        KEYS.forEach(plain::remove);
        if (plain.get(TEXT) instanceof ObjectNode inner) {
            KEYS.forEach(inner::remove);
        }
        return plain;
    }

    private static List<JsonNode> records(ObjectNode config) {
        List<JsonNode> records = new ArrayList<>();
        for (JsonNode level : new JsonNode[] {config, config.path(TEXT)}) {
            for (String key : KEYS) {
                if (level.path(key).isObject() && !level.path(key).isEmpty()) {
                    records.add(level.path(key));
                }
            }
        }
        return records;
    }

    private static String ofSideFile(String name, ModelFolder folder) {
        // The format's own name stands in the first; the others are named after their tools.
        if (name.equals("hf_quant_config.json")) {
            JsonNode algorithm =
                    Json.readObject(folder.resolve(name)).at("/quantization/quant_algo");
            return "NVIDIA ModelOpt " + Text.line(algorithm.asString(""));
        }
        return switch (name) {
            case "quantize_config.json" -> "GPTQ";
            case "quant_config.json" -> "AWQ";
            default -> name;
        };
    }

    private static @Nullable String text(JsonNode record, String key) {
        JsonNode value = record.get(key);
        return value != null && value.isString() ? Text.line(value.stringValue()) : null;
    }

    private static long @Nullable [] pair(@Nullable JsonNode node) {
        if (node == null || !node.isArray() || node.size() != 2) {
            return null;
        }
        JsonNode rows = node.get(0);
        JsonNode columns = node.get(1);
        boolean usable = rows.isIntegralNumber() && columns.isIntegralNumber();
        return usable && rows.asLong(0) > 0 && columns.asLong(0) > 0
                ? new long[] {rows.asLong(0), columns.asLong(0)}
                : null;
    }
}
