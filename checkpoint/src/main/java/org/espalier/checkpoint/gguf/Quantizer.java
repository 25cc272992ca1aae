package org.espalier.checkpoint.gguf;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Turns float32 into the blocks of ggml's quantized tensor types, without an importance matrix (ggml
 * {@code src/ggml-quants.c}, {@code quantize_row_*_ref}). All arithmetic is float32 and all sums run from the first
 * element to the last, as there, so that the bytes are those of {@code llama-quantize}.
 */
public final class Quantizer {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private Quantizer() {}

    /** Fills {@code block} with the bytes of one block of {@code values}. */
    @FunctionalInterface
    interface Block {
        void write(float[] values, byte[] block);
    }

    /** Whether {@link #quantize} can make this type. */
    public static boolean makes(GgufType type) {
        return switch (type) {
            case Q8_0, Q4_0, Q5_0, Q5_1, Q4_K, Q5_K, Q6_K -> true;
            default -> false;
        };
    }

    /**
     * Quantizes whole blocks.
     *
     * @param type what {@link #makes} allows
     * @param source float32 in the order of the machine, all finite
     * @param target room for exactly the blocks
     * @throws IllegalArgumentException for another type, a part of a block, or a target of another size
     */
    public static void quantize(GgufType type, MemorySegment source, MemorySegment target) {
        int elements = type.blockElements();
        long step = 4L * elements;
        long blocks = source.byteSize() / step;
        if (source.byteSize() != blocks * step) {
            throw new IllegalArgumentException(
                    source.byteSize() + " bytes are no whole number of blocks of " + type);
        }
        if (target.byteSize() != blocks * type.blockBytes()) {
            throw new IllegalArgumentException(
                    target.byteSize() + " bytes do not fit " + blocks + " blocks of " + type);
        }
        Block block = block(type);
        float[] values = new float[elements];
        byte[] bytes = new byte[type.blockBytes()];
        for (long i = 0; i < blocks; i++) {
            MemorySegment.copy(source, FLOAT, i * step, values, 0, elements);
            block.write(values, bytes);
            MemorySegment.copy(
                    bytes, 0, target, ValueLayout.JAVA_BYTE, i * bytes.length, bytes.length);
        }
    }

    private static Block block(GgufType type) {
        return switch (type) {
            case Q8_0 -> SmallBlocks::q8;
            case Q4_0 -> SmallBlocks::q4;
            case Q5_0 -> SmallBlocks::q5;
            case Q5_1 -> SmallBlocks::q5WithMinimum;
            case Q4_K -> new ScaleAndMinimumBlocks(15, -1f, 20)::write;
            case Q5_K -> new ScaleAndMinimumBlocks(31, -0.5f, 15)::write;
            case Q6_K -> new SixBitBlocks()::write;
            default -> throw new IllegalArgumentException(type + " cannot be made");
        };
    }
}
