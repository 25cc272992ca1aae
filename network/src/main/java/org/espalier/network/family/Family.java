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
 * @param stacking the order of the rows in a {@code qkv} matrix; null where there is none
 * @param wholeWidthNorm whether q and k norms span all heads together instead of each head
 * @param scaledEmbedding whether the embedding is multiplied by the root of its width
 * @param transposed whether the file stores matrices as [in_features, out_features] (Conv1D)
 * @param settings where the sizes are in config.json
 * @param slidingWindow blocks that see only the last tokens; null where the family has none
 * @param latent attention over compressed keys and values; null where the family has the plain one
 * @param experts the mixture of experts in place of the MLP; null where the family has none
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
        @Nullable Stacking stacking,
        boolean wholeWidthNorm,
        boolean scaledEmbedding,
        boolean transposed,
        Settings settings,
        @Nullable SlidingWindow slidingWindow,
        @Nullable Latent latent,
        @Nullable Experts experts,
        Map<String, JsonNode> fixed,
        Names names,
        Map<String, Matrix> matrices) {
    /** The order in which a block multiplies with its matrices. */
    private static final List<String> KINDS =
            List.of(
                    "q", "q_a", "k", "v", "qkv", "kv_a", "q_b", "kv_b", "o", "gate", "up",
                    "gate_up", "down");

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
        if (matrices.containsKey("qkv") != (stacking != null)) {
            throw new IllegalArgumentException(
                    modelType + ": stacking goes with a qkv matrix and with nothing else");
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
        LAYER,
        /** As {@link #RMS}, with the scale stored less 1 (Gemma). */
        RMS_PLUS_ONE
    }

    /** How the model learns of the order of the tokens. */
    public enum Positions {
        /** Queries and keys are rotated (arXiv 2104.09864), the halves of a head paired. */
        ROPE,
        /** A learned vector for each position is added to the embedding. */
        LEARNED,
        /** Scores sink with the distance, in each head by a slope of its own (arXiv 2108.12409). */
        ALIBI
    }

    /** The order of the rows in a matrix that makes queries, keys and values at once. */
    public enum Stacking {
        /** All queries, all keys, all values. */
        WHOLE,
        /** Head by head its query, its key and its value. */
        PER_HEAD
    }

    /** When a matrix has a bias. */
    public enum Bias {
        ALWAYS,
        NEVER,
        /** When a switch in config.json says so. */
        SWITCHED
    }

    /**
     * Multi-head latent attention (arXiv 2405.04434). {@code kv_a} makes a short vector for each token and one rotated
     * piece of key for all heads; {@code kv_b} makes of the short vector the rest of the keys, and the values, head by
     * head. {@code q_a} and {@code q_b} do the same for queries where {@code queryRank} is a number; where it is null,
     * {@code q} makes them at once.
     *
     * @param queryRank width of the short vector of the queries, or null
     * @param keyValueRank width of the short vector of keys and values
     * @param plainWidth channels of a query or key that are not rotated
     * @param rotaryWidth channels that are
     * @param valueWidth channels of a value
     * @param interleaved whether the file pairs neighbouring channels and not the halves; null: it does
     * @param queryNorm norm of the short vector of the queries
     * @param keyValueNorm norm of the short vector of keys and values
     */
    public record Latent(
            Setting queryRank,
            Setting keyValueRank,
            Setting plainWidth,
            Setting rotaryWidth,
            Setting valueWidth,
            @Nullable Setting interleaved,
            String queryNorm,
            String keyValueNorm) {}

    /**
     * Modules that are not pruned; null: the family has none.
     *
     * @param embeddingNorm norm of what enters block 0
     * @param projectIn from the embedding's width to the hidden width, where they differ
     * @param projectOut from the hidden width to that of the head, where they differ
     * @param attentionOutputNorm norm of what attention adds to the hidden states
     * @param mlpOutputNorm norm of what the MLP adds
     * @param qNorm norm of the queries before they are rotated
     * @param kNorm norm of the keys before they are rotated
     */
    public record Names(
            String embedding,
            @Nullable String positions,
            @Nullable String embeddingNorm,
            @Nullable String projectIn,
            @Nullable String projectOut,
            String attentionNorm,
            @Nullable String attentionOutputNorm,
            String mlpNorm,
            @Nullable String mlpOutputNorm,
            String finalNorm,
            String head,
            @Nullable String qNorm,
            @Nullable String kNorm) {}

    /**
     * A prunable matrix.
     *
     * @param name pattern of its module name
     * @param bias when it has a bias
     * @param biasSwitch {@code switch} in the file: the key of config.json that says whether there is a bias; set
     *     if and only if {@code bias} is {@link Bias#SWITCHED}
     * @param switchDefault what that key means where it is absent
     */
    public record Matrix(
            String name,
            Bias bias,
            @JsonProperty("switch") @Nullable String biasSwitch,
            boolean switchDefault) {
        public Matrix {
            if ((bias == Bias.SWITCHED) != (biasSwitch != null)) {
                throw new IllegalArgumentException(
                        name + ": a switch goes with bias: switched and with nothing else");
            }
        }
    }
}
