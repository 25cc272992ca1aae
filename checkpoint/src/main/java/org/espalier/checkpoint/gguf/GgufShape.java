package org.espalier.checkpoint.gguf;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The numbers of a decoder that a GGUF file names, with every default filled in.
 *
 * @param family {@code model_type} of Hugging Face transformers
 * @param name what the model is called
 * @param vocabulary number of rows of the embedding
 * @param hidden width of the residual stream
 * @param intermediate width of the MLP
 * @param blocks number of blocks
 * @param heads number of query heads
 * @param kvHeads number of key and value heads
 * @param headDim width of a head
 * @param epsilon what the norms add under the root
 * @param rotation rotation of queries and keys, or null
 * @param positions number of tokens that the model was made for
 * @param window number of tokens that each token sees in the blocks that have a window, or null for all
 * @param attentionCap bound of the scores of attention, or null
 * @param logitCap bound of the logits, or null
 * @param experts the mixture of experts, or null
 * @param tied whether the embedding is also the output matrix
 */
public record GgufShape(
        String family,
        String name,
        long vocabulary,
        long hidden,
        long intermediate,
        int blocks,
        long heads,
        long kvHeads,
        long headDim,
        double epsilon,
        @Nullable Rotation rotation,
        long positions,
        @Nullable Long window,
        @Nullable Double attentionCap,
        @Nullable Double logitCap,
        @Nullable Experts experts,
        boolean tied) {

    /**
     * The rotary position embedding.
     *
     * @param width channels of a head that are rotated
     * @param theta base of the frequencies
     * @param linear factor of position interpolation, or null
     * @param divisors what each frequency is divided by, one for each pair of channels, or null
     * @param longer another set of divisors for longer texts, or null
     */
    public record Rotation(
            long width,
            double theta,
            @Nullable Double linear,
            @Nullable List<Double> divisors,
            @Nullable Longer longer) {
        public Rotation {
            divisors = divisors == null ? null : List.copyOf(divisors);
        }
    }

    /**
     * LongRoPE.
     *
     * @param divisors what each frequency is divided by in longer texts
     * @param original the longest text that takes the other divisors
     * @param magnitude what rotated queries and keys are multiplied with in all texts
     */
    public record Longer(List<Double> divisors, long original, double magnitude) {
        public Longer {
            divisors = List.copyOf(divisors);
        }
    }

    /**
     * A mixture of experts in every block.
     *
     * @param count number of experts
     * @param active number of experts that each token goes to
     * @param intermediate width of an expert
     * @param shared width of the expert that every token goes to; 0 where there is none
     */
    public record Experts(long count, long active, long intermediate, long shared) {}
}
