package org.espalier.network;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/** The nonlinearity of an MLP. */
public enum Activation {
    /** x * sigmoid(x) (arXiv 1702.03118). */
    SILU,
    /** x * Phi(x) with the exact normal distribution (arXiv 1606.08415). */
    GELU,
    /** The tanh approximation of GELU. */
    GELU_TANH,
    /** max(x, 0). */
    RELU;

    /** The names that config.json uses. */
    private static final Map<String, Activation> NAMES =
            new TreeMap<>(
                    Map.of(
                            "silu", SILU,
                            "swish", SILU,
                            "gelu", GELU,
                            "gelu_new", GELU_TANH,
                            "gelu_fast", GELU_TANH,
                            "gelu_pytorch_tanh", GELU_TANH,
                            "relu", RELU));

    /** The activation that config.json calls so; null where there is none. */
    static @Nullable Activation named(String name) {
        return NAMES.get(name);
    }

    /** All names, for messages. */
    static List<String> known() {
        return List.copyOf(NAMES.keySet());
    }

    /** Applies it to every element. */
    public Tensor apply(Tensor input) {
        return switch (this) {
            case SILU -> torch.silu(input);
            case GELU -> torch.gelu(input);
            case GELU_TANH -> torch.gelu(input, "tanh");
            case RELU -> torch.relu(input);
        };
    }
}
