package org.espalier.checkpoint.gguf;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
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

    /** The same of a LongRoPE, for texts of up to the original length. */
    static final String SHORT_DIVISORS = "rope_factors_short.weight";

    /** The same for longer texts. */
    static final String LONG_DIVISORS = "rope_factors_long.weight";

    /** The factor's key before 2024. */
    private static final String OLD_FACTOR = "rope.scale_linear";

    private final GgufFile file;
    private final Metadata metadata;
    private final String prefix;

    RopeScaling(GgufFile file, Metadata metadata, Architecture architecture) {
        this.file = file;
        this.metadata = metadata;
        this.prefix = architecture.id() + ".";
    }

    /** Whether a tensor belongs to the configuration, and not to the weights, with Hugging Face. */
    static boolean isPart(Architecture architecture, String name) {
        return switch (name) {
            case DIVISORS -> architecture != Architecture.GPT2;
            case SHORT_DIVISORS, LONG_DIVISORS -> architecture == Architecture.PHI3;
            default -> false;
        };
    }

    /** The tensors of divisors of a file that is going to be written. */
    static Map<String, List<Double>> divisors(Architecture architecture, GgufShape shape) {
        GgufShape.Rotation rotation = shape.rotation();
        List<Double> divisors = rotation == null ? null : rotation.divisors();
        GgufShape.Longer longer = rotation == null ? null : rotation.longer();
        if (divisors == null) {
            return Map.of();
        }
        if (longer == null) {
            return Map.of(DIVISORS, divisors);
        }
        Map<String, List<Double>> both = new TreeMap<>();
        both.put(SHORT_DIVISORS, divisors);
        both.put(LONG_DIVISORS, longer.divisors());
        return both;
    }

    /**
     * Adds {@code rope_scaling} to a configuration, if the file stretches anything.
     *
     * @param width channels of a head that are rotated
     * @param positions number of tokens that the model was made for
     */
    void addTo(ObjectNode config, long width, long positions) {
        String type = type();
        float[] nearer = divisors(SHORT_DIVISORS, width);
        float[] farther = divisors(LONG_DIVISORS, width);
        float[] divisors = divisors(DIVISORS, width);
        if ((nearer == null) != (farther == null)) {
            throw wrong(
                    nearer == null ? SHORT_DIVISORS : LONG_DIVISORS, "is missing beside the other");
        }
        if (nearer != null && farther != null) {
            config.put(
                    "original_max_position_embeddings",
                    metadata.whole(prefix + "rope.scaling.original_context_length"));
            Double magnitude = metadata.optionalReal(prefix + "rope.scaling.attn_factor");
            ObjectNode scaling = config.putObject("rope_scaling");
            scaling.put("type", "longrope");
            scaling.put("attention_factor", magnitude == null ? 1.0 : magnitude);
            put(scaling.putArray("short_factor"), nearer, 1);
            put(scaling.putArray("long_factor"), farther, 1);
        } else if (divisors != null) {
            // llama.cpp divides by both, the divisor and the factor of position interpolation.
            combined(config.putObject("rope_scaling"), divisors, type == null ? 1 : linear(type))
                    .put("original_max_position_embeddings", positions);
        } else if (type != null) {
            // Whether the type is supported is for the reader of the configuration to say.
            config.putObject("rope_scaling").put("rope_type", type).put("factor", factor());
        }
    }

    /**
     * As llama.cpp has it: a factor without a type is position interpolation, and a type without a factor, or with 0,
     * stretches nothing.
     */
    private @Nullable String type() {
        String type = metadata.optionalText(prefix + "rope.scaling.type");
        if (type != null && type.equals("none")) {
            return null;
        }
        boolean interpolated = type == null || type.equals("linear");
        return interpolated ? (factor() == 1 ? null : "linear") : type;
    }

    private double factor() {
        Double factor = metadata.optionalReal(prefix + "rope.scaling.factor");
        if (factor == null) {
            factor = metadata.optionalReal(prefix + OLD_FACTOR);
        }
        return factor == null || factor == 0 ? 1 : factor;
    }

    private static ObjectNode combined(ObjectNode scaling, float[] divisors, double factor) {
        scaling.put("rope_type", "longrope");
        scaling.put("factor", 1.0);
        scaling.put("attention_factor", 1.0);
        put(scaling.putArray("short_factor"), divisors, factor);
        put(scaling.putArray("long_factor"), divisors, factor);
        return scaling;
    }

    private static void put(ArrayNode factors, float[] divisors, double factor) {
        for (float divisor : divisors) {
            factors.add(divisor * factor);
        }
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
        return factor();
    }

    private float @Nullable [] divisors(String name, long width) {
        GgufTensor info = file.tensors().get(name);
        if (info == null) {
            return null;
        }
        if (info.extents().size() != 1 || info.elements() != width / 2) {
            throw wrong(
                    name,
                    "has the shape "
                            + info.shape()
                            + " where heads have "
                            + width / 2
                            + " frequencies");
        }
        float[] divisors;
        try (PointerScope scope = new PointerScope()) {
            divisors = Tensors.toFloats(file.tensor(name));
        }
        for (float divisor : divisors) {
            if (!(divisor > 0 && divisor < Float.POSITIVE_INFINITY)) {
                throw wrong(
                        name, "has the divisor " + divisor + ", which is not a positive number");
            }
        }
        return divisors;
    }

    private UserError wrong(String name, String what) {
        return new UserError(
                file.path() + ": tensor '" + name + "' " + what + "; get the model again");
    }
}
