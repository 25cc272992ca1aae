package org.espalier.checkpoint.gguf;

import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.espalier.core.UserError;
import org.espalier.core.tensor.Tensors;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * How a GGUF file stretches its rope, as {@code rope_scaling} of Hugging Face says it. A file that was made of a Llama
 * 3.1 no longer has the four numbers of its formula, only what comes out: by what each frequency is divided. That is a
 * LongRoPE whose short and long factors are the same and whose attention factor is 1.
 */
final class RopeScaling {
    /** What each frequency is divided by, one number for each pair of channels. */
    static final String DIVISORS = "rope_freqs.weight";

    private final GgufFile file;
    private final Metadata metadata;
    private final String prefix;

    RopeScaling(GgufFile file, Metadata metadata, Architecture architecture) {
        this.file = file;
        this.metadata = metadata;
        this.prefix = architecture.id() + ".";
    }

    /**
     * Adds {@code rope_scaling} to a configuration, if the file stretches anything.
     *
     * @param headDim width of a head, all of which is rotated
     * @param positions number of tokens that the model was made for
     */
    void addTo(ObjectNode config, long headDim, long positions) {
        String type = metadata.optionalText(prefix + "rope.scaling.type");
        if (type != null && type.equals("none")) {
            type = null;
        }
        float[] divisors = divisors(headDim);
        if (divisors != null) {
            // llama.cpp divides by both, the divisor and the factor of position interpolation.
            combined(config.putObject("rope_scaling"), divisors, type == null ? 1 : linear(type))
                    .put("original_max_position_embeddings", positions);
        } else if (type != null) {
            // Whether the type is supported is for the reader of the configuration to say.
            config.putObject("rope_scaling")
                    .put("rope_type", type)
                    .put("factor", metadata.real(prefix + "rope.scaling.factor"));
        }
    }

    private static ObjectNode combined(ObjectNode scaling, float[] divisors, double factor) {
        scaling.put("rope_type", "longrope");
        scaling.put("factor", 1.0);
        scaling.put("attention_factor", 1.0);
        for (String key : List.of("short_factor", "long_factor")) {
            ArrayNode factors = scaling.putArray(key);
            for (float divisor : divisors) {
                factors.add(divisor * factor);
            }
        }
        return scaling;
    }

    private double linear(String type) {
        if (!type.equals("linear")) {
            throw new UserError(
                    file.path()
                            + " has "
                            + prefix
                            + "rope.scaling.type = "
                            + type
                            + " and "
                            + DIVISORS
                            + " too, which cannot be opened together; use the Hugging Face folder of the model");
        }
        return metadata.real(prefix + "rope.scaling.factor");
    }

    private float @Nullable [] divisors(long headDim) {
        GgufTensor info = file.tensors().get(DIVISORS);
        if (info == null) {
            return null;
        }
        if (info.extents().size() != 1 || info.elements() != headDim / 2) {
            throw wrong(
                    "has the shape "
                            + info.shape()
                            + " where heads have "
                            + headDim / 2
                            + " frequencies");
        }
        float[] divisors;
        try (PointerScope scope = new PointerScope()) {
            divisors = Tensors.toFloats(file.tensor(DIVISORS));
        }
        for (float divisor : divisors) {
            if (!(divisor > 0 && divisor < Float.POSITIVE_INFINITY)) {
                throw wrong("has the divisor " + divisor + ", which is not a positive number");
            }
        }
        return divisors;
    }

    private UserError wrong(String what) {
        return new UserError(
                file.path() + ": tensor '" + DIVISORS + "' " + what + "; get the model again");
    }
}
