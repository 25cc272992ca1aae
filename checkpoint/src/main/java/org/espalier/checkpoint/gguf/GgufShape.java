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
 * @param rotaryWidth channels of a head that are rotated; 0 for none
 * @param epsilon what the norms add under the root
 * @param ropeTheta base of the rotation's frequencies
 * @param ropeLinear factor of position interpolation, or null
 * @param ropeDivisors what each frequency is divided by, one for each pair of channels, or null
 * @param positions number of tokens that the model was made for
 * @param window number of tokens that each token sees in all blocks, or null for all
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
        long rotaryWidth,
        double epsilon,
        double ropeTheta,
        @Nullable Double ropeLinear,
        @Nullable List<Double> ropeDivisors,
        long positions,
        @Nullable Long window,
        boolean tied) {
    public GgufShape {
        ropeDivisors = ropeDivisors == null ? null : List.copyOf(ropeDivisors);
    }
}
