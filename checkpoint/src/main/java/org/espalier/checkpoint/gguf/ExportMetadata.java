package org.espalier.checkpoint.gguf;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The metadata that llama.cpp needs of a model: general, shape, rope. */
final class ExportMetadata {
    private static final int QUANTIZATION_VERSION = 2;

    private final Map<String, GgufValue> entries = new LinkedHashMap<>();
    private final String prefix;

    private ExportMetadata(Architecture architecture) {
        this.prefix = architecture.id() + ".";
    }

    static Map<String, GgufValue> of(
            Architecture architecture, GgufShape shape, GgufFileType type) {
        ExportMetadata metadata = new ExportMetadata(architecture);
        metadata.general(architecture, shape, type);
        metadata.shape(shape);
        if (architecture == Architecture.GPT2) {
            metadata.real("attention.layer_norm_epsilon", shape.epsilon());
        } else {
            metadata.rope(shape);
        }
        return metadata.entries;
    }

    private void general(Architecture architecture, GgufShape shape, GgufFileType type) {
        entries.put("general.architecture", new GgufValue.Text(architecture.id()));
        entries.put("general.type", new GgufValue.Text("model"));
        entries.put("general.name", new GgufValue.Text(shape.name()));
        entries.put("general.file_type", whole(type.id()));
        if (type.isQuantized()) {
            entries.put("general.quantization_version", whole(QUANTIZATION_VERSION));
        }
    }

    private void shape(GgufShape shape) {
        whole("vocab_size", shape.vocabulary());
        whole("context_length", shape.positions());
        whole("embedding_length", shape.hidden());
        whole("block_count", shape.blocks());
        whole("feed_forward_length", shape.intermediate());
        whole("attention.head_count", shape.heads());
        whole("attention.head_count_kv", shape.kvHeads());
        // Without these llama.cpp takes hidden / heads, which fewer heads make wrong.
        whole("attention.key_length", shape.headDim());
        whole("attention.value_length", shape.headDim());
    }

    private void rope(GgufShape shape) {
        real("attention.layer_norm_rms_epsilon", shape.epsilon());
        whole("rope.dimension_count", shape.rotaryWidth());
        real("rope.freq_base", shape.ropeTheta());
        @Nullable Double linear = shape.ropeLinear();
        if (linear != null) {
            entries.put(prefix + "rope.scaling.type", new GgufValue.Text("linear"));
            real("rope.scaling.factor", linear);
        }
        @Nullable Long window = shape.window();
        if (window != null) {
            whole("attention.sliding_window", window);
        }
    }

    private void whole(String name, long value) {
        entries.put(prefix + name, whole(value));
    }

    private void real(String name, double value) {
        entries.put(prefix + name, new GgufValue.Real(value, GgufValueType.F32));
    }

    static GgufValue whole(long value) {
        return new GgufValue.Whole(value, GgufValueType.U32);
    }

    static GgufValue wholes(List<Long> values) {
        return new GgufValue.Wholes(values, GgufValueType.I32);
    }
}
