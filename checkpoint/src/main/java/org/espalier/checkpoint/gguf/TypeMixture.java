package org.espalier.checkpoint.gguf;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which tensor gets which type: llama.cpp's converter for the plain types, {@code llama-quantize} without an importance
 * matrix for the others (llama.cpp b4916, {@code src/llama-quant.cpp}).
 *
 * @param type of the whole file
 * @param blocks number of blocks of the model
 * @param experts number of experts of each block; 0 where there are none
 * @param sharesValues whether llama.cpp takes the model for a "70B", whose heads share each v among eight
 * @param hasOutput whether there is an output matrix of its own; without one the embedding takes its type
 */
record TypeMixture(
        GgufFileType type, int blocks, long experts, boolean sharesValues, boolean hasOutput) {
    private static final Pattern BLOCK = Pattern.compile("blk\\.(\\d+)\\..*");
    private static final int SUPER_BLOCK = 256;

    /** The matrices of attention get more bits in models with so many experts, whose other matrices are many times more. */
    private static final int EIGHT = 8;

    /** The type of a tensor; {@code extents} fastest first. */
    GgufType of(String name, List<Long> extents) {
        boolean plain =
                extents.size() < 2
                        || !name.endsWith(".weight")
                        || name.endsWith("_norm.weight")
                        || name.contains("ffn_gate_inp.weight")
                        || name.equals("position_embd.weight");
        if (plain) {
            return GgufType.F32;
        }
        return type.isQuantized()
                ? fitting(wanted(name, extents.getFirst()), extents.getFirst())
                : type.type();
    }

    private GgufType wanted(String name, long columns) {
        boolean output =
                name.equals("output.weight") || (!hasOutput && name.equals("token_embd.weight"));
        if (output) {
            return type == GgufFileType.Q8_0 || columns % SUPER_BLOCK != 0
                    ? GgufType.Q8_0
                    : GgufType.Q6_K;
        }
        boolean eight = experts == EIGHT && type.isQuantized();
        if (eight && (name.contains("attn_v.weight") || name.contains("attn_k.weight"))) {
            return GgufType.Q8_0;
        }
        Matcher block = BLOCK.matcher(name);
        if (type != GgufFileType.Q4_K_M || !block.matches()) {
            return type.type();
        }
        boolean more = getsMoreBits(Integer.parseInt(block.group(1)), blocks);
        if (name.contains("ffn_down")) {
            return more ? GgufType.Q6_K : GgufType.Q4_K;
        }
        if (name.contains("attn_v.weight")) {
            return more ? GgufType.Q6_K : sharesValues ? GgufType.Q5_K : GgufType.Q4_K;
        }
        boolean five =
                name.contains("attn_qkv.weight") || (eight && name.contains("attn_output.weight"));
        return five ? GgufType.Q5_K : GgufType.Q4_K;
    }

    /** The first and the last eighth of the blocks, and every third between. */
    static boolean getsMoreBits(int block, int blocks) {
        return block < blocks / 8 || block >= 7 * blocks / 8 || (block - blocks / 8) % 3 == 2;
    }

    /** What is taken instead where a row is no whole number of blocks. */
    private static GgufType fitting(GgufType wanted, long columns) {
        GgufType type = wanted;
        if (columns % type.blockElements() != 0) {
            type =
                    switch (wanted) {
                        case Q4_K -> GgufType.Q5_0;
                        case Q5_K -> GgufType.Q5_1;
                        case Q6_K -> GgufType.Q8_0;
                        default -> GgufType.F16;
                    };
        }
        return columns % type.blockElements() == 0 ? type : GgufType.F16;
    }
}
