package org.espalier.network;

import java.util.List;
import java.util.Map;
import org.espalier.network.family.Families;
import org.espalier.network.family.Family;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The numbers of a decoder, resolved from config.json: defaults filled in, both dialects of rope read, all in range.
 *
 * @param family the descriptor that named the keys
 * @param vocabulary number of token ids
 * @param hidden width of the residual stream
 * @param intermediate width of the MLP
 * @param blocks number of decoder blocks
 * @param heads number of query heads
 * @param kvHeads number of key and value heads; divides {@code heads}, query head h reads head h / (heads / kvHeads)
 * @param headDim width of a query or key; heads * headDim need not be {@code hidden}
 * @param epsilon what the norms add under the root
 * @param activation the nonlinearity of the MLP
 * @param rope rotation of queries and keys; null where the family has none
 * @param localRope rotation in blocks with a window; the same as {@code rope} in most families
 * @param rotaryWidth number of channels of a head that are rotated, the first ones
 * @param maxPositions number of tokens that the model was made for
 * @param windows per block the number of tokens that each token sees, itself included; {@link #NO_WINDOW} for all
 * @param tied whether the embedding is also the head
 * @param switches where the family departs from the plain decoder
 * @param latent widths of latent attention; null where the family has the plain one
 * @param mixture the mixture of experts; null where the family has none
 * @param biases the switches of config.json that the family's biases depend on
 * @param bos id that begins a text; null where config.json names none
 * @param eos ids that end a text, possibly none
 */
public record DecoderConfig(
        Family family,
        long vocabulary,
        long hidden,
        long intermediate,
        int blocks,
        long heads,
        long kvHeads,
        long headDim,
        double epsilon,
        Activation activation,
        @Nullable Rope rope,
        @Nullable Rope localRope,
        long rotaryWidth,
        long maxPositions,
        List<Long> windows,
        boolean tied,
        Switches switches,
        @Nullable Latent latent,
        @Nullable Mixture mixture,
        Map<String, Boolean> biases,
        @Nullable Long bos,
        List<Long> eos) {
    /** The window of a block that sees all tokens. */
    public static final long NO_WINDOW = Long.MAX_VALUE;

    public DecoderConfig {
        windows = List.copyOf(windows);
        biases = Map.copyOf(biases);
        eos = List.copyOf(eos);
    }

    /** The same decoder with a head of its own. */
    DecoderConfig untied() {
        return new DecoderConfig(
                family,
                vocabulary,
                hidden,
                intermediate,
                blocks,
                heads,
                kvHeads,
                headDim,
                epsilon,
                activation,
                rope,
                localRope,
                rotaryWidth,
                maxPositions,
                windows,
                false,
                switches,
                latent,
                mixture,
                biases,
                bos,
                eos);
    }

    /** Width of a value of one head. */
    public long valueDim() {
        return latent == null ? headDim : latent.valueWidth();
    }

    /**
     * The most bytes of scores, and of what is added to them, that the attention of a block holds at the same time.
     *
     * @param sequences in the batch
     * @param tokens of each
     */
    public long scoreBytes(long sequences, long tokens) {
        long most = 0;
        for (int block = 0; block < blocks; block++) {
            most = Math.max(most, Attention.of(this, block).scoreBytes(sequences * heads, tokens));
        }
        return most;
    }

    /** Whether a block has experts in place of its MLP. */
    public boolean hasExperts(int block) {
        return mixture != null && mixture.inBlock().get(block);
    }

    /**
     * Reads a config.json of Hugging Face transformers. Everything that is wrong with it is reported in one
     * {@link org.espalier.core.UserError}.
     */
    public static DecoderConfig of(ObjectNode config) {
        return of(config, Families.of(modelType(config)));
    }

    /** The name of the family, or null where there is none. */
    static @Nullable String modelType(ObjectNode config) {
        JsonNode type = config.get("model_type");
        return type == null || !type.isString() ? null : type.stringValue();
    }

    /** As {@link #of(ObjectNode)}, for a family that is described by {@code family}. */
    static DecoderConfig of(ObjectNode config, Family family) {
        return new ConfigResolver(config).resolve(family);
    }
}
