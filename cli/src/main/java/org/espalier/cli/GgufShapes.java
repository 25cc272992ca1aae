package org.espalier.cli;

import java.util.ArrayList;
import java.util.List;
import org.espalier.checkpoint.gguf.GgufShape;
import org.espalier.core.UserError;
import org.espalier.network.Activation;
import org.espalier.network.DecoderConfig;
import org.espalier.network.Rope;
import org.jspecify.annotations.Nullable;

/** What GGUF names of a decoder; what llama.cpp would compute differently is refused. */
final class GgufShapes {
    private GgufShapes() {}

    static GgufShape of(OpenModel model) {
        DecoderConfig config = model.decoder().config();
        String family = model.decoder().family().modelType();
        Activation expected = family.equals("gpt2") ? Activation.GELU_TANH : Activation.SILU;
        if (List.of("gpt2", "llama", "mistral", "qwen2", "qwen3").contains(family)
                && config.activation() != expected) {
            throw refused(model, "has the activation " + config.activation());
        }
        Rope rope = config.rope();
        return new GgufShape(
                family,
                model.name(),
                config.vocabulary(),
                config.hidden(),
                config.intermediate(),
                config.blocks(),
                config.heads(),
                config.kvHeads(),
                config.headDim(),
                config.rotaryWidth(),
                config.epsilon(),
                rope == null ? 0 : rope.theta(),
                rope != null && rope.scaling() instanceof Rope.Linear linear
                        ? linear.factor()
                        : null,
                rope == null ? null : divisors(model, rope, config.rotaryWidth()),
                config.maxPositions(),
                window(model, config),
                config.tied());
    }

    /** By what llama.cpp divides each frequency; null where by nothing. */
    private static @Nullable List<Double> divisors(OpenModel model, Rope rope, long width) {
        return switch (rope.scaling()) {
            case Rope.Unscaled _, Rope.Linear _ -> null;
            case Rope.Llama3 _ -> {
                double[] plain = new Rope(rope.theta(), new Rope.Unscaled()).frequencies(width);
                double[] scaled = rope.frequencies(width);
                List<Double> divisors = new ArrayList<>();
                for (int i = 0; i < plain.length; i++) {
                    divisors.add(plain[i] / scaled[i]);
                }
                yield divisors;
            }
            // What a file of a Llama 3.1 is read as: divisors that do not depend on the length.
            case Rope.LongRope(var near, var far, _, var magnitude)
                    when near.equals(far) && magnitude == 1 ->
                    near;
            case Rope.LongRope _ -> throw refused(model, "has a LongRoPE");
            case Rope.Yarn _ -> throw refused(model, "has a YaRN rope");
        };
    }

    private static @Nullable Long window(OpenModel model, DecoderConfig config) {
        List<Long> different = config.windows().stream().distinct().toList();
        if (different.size() > 1) {
            throw refused(model, "has blocks with a window and blocks without");
        }
        long window = different.isEmpty() ? DecoderConfig.NO_WINDOW : different.getFirst();
        return window == DecoderConfig.NO_WINDOW ? null : window;
    }

    private static UserError refused(OpenModel model, String what) {
        return new UserError(
                model.checkpoint().folder()
                        + " "
                        + what
                        + ", which llama.cpp does not compute in this family; export to safetensors instead");
    }
}
