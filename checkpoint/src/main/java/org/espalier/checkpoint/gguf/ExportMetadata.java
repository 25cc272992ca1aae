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
        metadata.real(
                architecture == Architecture.GPT2
                        ? "attention.layer_norm_epsilon"
                        : "attention.layer_norm_rms_epsilon",
                shape.epsilon());
        GgufShape.Rotation rotation = shape.rotation();
        if (rotation != null) {
            metadata.rope(rotation);
        }
        metadata.window(architecture, shape);
        metadata.caps(shape);
        GgufShape.Experts experts = shape.experts();
        if (experts != null) {
            metadata.experts(architecture, experts);
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

    private void rope(GgufShape.Rotation rotation) {
        whole("rope.dimension_count", rotation.width());
        real("rope.freq_base", rotation.theta());
        @Nullable Double linear = rotation.linear();
        if (linear != null) {
            entries.put(prefix + "rope.scaling.type", new GgufValue.Text("linear"));
            real("rope.scaling.factor", linear);
        }
        GgufShape.Longer longer = rotation.longer();
        if (longer != null) {
            whole("rope.scaling.original_context_length", longer.original());
            real("rope.scaling.attn_factor", longer.magnitude());
        }
    }

    private void window(Architecture architecture, GgufShape shape) {
        @Nullable Long window = shape.window();
        if (window != null) {
            whole("attention.sliding_window", window);
        } else if (architecture == Architecture.PHI3) {
            // llama.cpp demands the key here, or takes a window from the number of blocks.
            whole("attention.sliding_window", 0);
        }
    }

    private void caps(GgufShape shape) {
        @Nullable Double attention = shape.attentionCap();
        if (attention != null) {
            real("attn_logit_softcapping", attention);
        }
        @Nullable Double logits = shape.logitCap();
        if (logits != null) {
            real("final_logit_softcapping", logits);
        }
    }

    private void experts(Architecture architecture, GgufShape.Experts experts) {
        whole("expert_count", experts.count());
        whole("expert_used_count", experts.active());
        if (architecture == Architecture.QWEN2_MOE || architecture == Architecture.QWEN3_MOE) {
            whole("expert_feed_forward_length", experts.intermediate());
        }
        if (experts.shared() > 0) {
            whole("expert_shared_feed_forward_length", experts.shared());
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
