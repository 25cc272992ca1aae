package org.espalier.network.family;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * A family of decoder language models, described as data: one YAML file each under {@code families/}. Names are module
 * names, without {@code .weight} and {@code .bias}; {@code {block}} stands for the index of the block, from 0. Names
 * and keys are those of Hugging Face transformers.
 *
 * @param modelType {@code model_type} of config.json
 * @param optionalPrefix leading part of the names that a checkpoint of the bare decoder, without head, leaves out
 * @param norm kind of all norms
 * @param positions how the model learns of the order of the tokens
 * @param transposed whether the file stores matrices as [in_features, out_features] (Conv1D)
 * @param settings where the sizes are in config.json
 * @param slidingWindow blocks that see only the last tokens; null where the family has none
 * @param fixed settings of which only one value is implemented; any other is refused
 * @param names the tensors that are not pruned
 * @param matrices the prunable matrices of a block by kind; {@code qkv} instead of {@code q, k, v} means that the three
 *     are stacked in this order, no {@code gate} means a plain MLP
 */
public record Family(
        String modelType,
        @Nullable String optionalPrefix,
        Norm norm,
        Positions positions,
        boolean transposed,
        Settings settings,
        @Nullable SlidingWindow slidingWindow,
        Map<String, JsonNode> fixed,
        Names names,
        Map<String, Matrix> matrices) {
    /** The order in which a block multiplies with its matrices. */
    private static final List<String> KINDS =
            List.of("q", "k", "v", "qkv", "o", "gate", "up", "down");

    public Family {
        fixed = Map.copyOf(fixed);
        if (!KINDS.containsAll(matrices.keySet())) {
            throw new IllegalArgumentException(
                    modelType
                            + ": kinds of matrices are "
                            + KINDS
                            + " but found "
                            + matrices.keySet());
        }
    }

    /** Kinds of the matrices that a block has, in forward order. */
    public List<String> kinds() {
        return KINDS.stream().filter(matrices::containsKey).toList();
    }

    /** The keys of config.json that switch biases on, for all matrices that have such a switch. */
    public Set<String> biasSwitches() {
        Set<String> switches = new TreeSet<>();
        for (Matrix matrix : matrices.values()) {
            if (matrix.biasSwitch() != null) {
                switches.add(matrix.biasSwitch());
            }
        }
        return switches;
    }

    /** Kind of normalisation. */
    public enum Norm {
        /** Divide by the root mean square, scale (arXiv 1910.07467). */
        RMS,
        /** Subtract the mean, divide by the standard deviation, scale and shift (arXiv 1607.06450). */
        LAYER
    }

    /** How the model learns of the order of the tokens. */
    public enum Positions {
        /** Queries and keys are rotated (arXiv 2104.09864), the halves of a head paired. */
        ROPE,
        /** A learned vector for each position is added to the embedding. */
        LEARNED
    }

    /** When a matrix has a bias. */
    public enum Bias {
        ALWAYS,
        NEVER,
        /** When a switch in config.json says so. */
        SWITCHED
    }

    /**
     * A key of config.json.
     *
     * @param key its name
     * @param fallback {@code default} in the file: the value where the key is absent; null where the key must be there
     */
    public record Setting(String key, @JsonProperty("default") @Nullable JsonNode fallback) {}

    /**
     * Where the sizes are in config.json. Three of them have a meaning when they are null or absent without a default:
     * {@code kvHeads} = heads, {@code headDim} = hidden / heads, {@code intermediate} = 4 hidden.
     */
    public record Settings(
            Setting vocabulary,
            Setting hidden,
            Setting intermediate,
            Setting blocks,
            Setting heads,
            @Nullable Setting kvHeads,
            @Nullable Setting headDim,
            Setting maxPositions,
            Setting epsilon,
            Setting activation,
            @Nullable Setting ropeTheta,
            Setting tied) {}

    /**
     * Blocks that see only the last {@code window} tokens, the current one included.
     *
     * @param window number of tokens; null in config.json means no window
     * @param enabled switch without which no block has a window; null: there is no such switch
     * @param firstBlock the first block with a window; null: block 0
     * @param layerTypes list with {@code full_attention} or {@code sliding_attention} per block, which goes before
     *     {@code firstBlock}
     */
    public record SlidingWindow(
            Setting window,
            @Nullable Setting enabled,
            @Nullable Setting firstBlock,
            @Nullable Setting layerTypes) {}

    /** Modules that are not pruned. A null {@code qNorm} and {@code kNorm}: heads are not normalised. */
    public record Names(
            String embedding,
            @Nullable String positions,
            String attentionNorm,
            String mlpNorm,
            String finalNorm,
            String head,
            @Nullable String qNorm,
            @Nullable String kNorm) {}

    /**
     * A prunable matrix.
     *
     * @param name pattern of its module name
     * @param bias when it has a bias
     * @param biasSwitch {@code switch} in the file: the key of config.json that says whether there is a bias, false
     *     where it is absent; set if and only if {@code bias} is {@link Bias#SWITCHED}
     */
    public record Matrix(
            String name, Bias bias, @JsonProperty("switch") @Nullable String biasSwitch) {
        public Matrix {
            if ((bias == Bias.SWITCHED) != (biasSwitch != null)) {
                throw new IllegalArgumentException(
                        name + ": a switch goes with bias: switched and with nothing else");
            }
        }
    }
}
