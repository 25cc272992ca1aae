package org.espalier.checkpoint.gguf;

import static org.espalier.checkpoint.gguf.BlockBytes.FLOAT;
import static org.espalier.checkpoint.gguf.BlockBytes.INT;
import static org.espalier.checkpoint.gguf.BlockBytes.SHORT;

import java.lang.foreign.MemorySegment;

/**
 * Turns the blocks of ggml's tensor types into float32 (ggml {@code src/ggml-quants.c}, {@code dequantize_row_*}). All
 * arithmetic is float32 in the order of the reference, so that the values are its values to the bit.
 */
public final class Dequantizer {
    private Dequantizer() {}

    /** Turns the block at byte {@code from} of {@code source} into floats from byte {@code to} of {@code target}. */
    @FunctionalInterface
    private interface Block {
        void read(MemorySegment source, long from, MemorySegment target, long to);
    }

    /**
     * Dequantizes whole blocks.
     *
     * @param source blocks of {@code type}, one after another
     * @param target room for one float32 per element, in the order of the machine
     * @throws IllegalArgumentException for a type that is not {@link GgufType#isReadable}, a part of a block, or a
     *     target of another size
     */
    public static void dequantize(GgufType type, MemorySegment source, MemorySegment target) {
        Block block = block(type);
        if (source.byteSize() % type.blockBytes() != 0) {
            throw new IllegalArgumentException(
                    source.byteSize() + " bytes are no whole number of blocks of " + type);
        }
        long blocks = source.byteSize() / type.blockBytes();
        long step = 4L * type.blockElements();
        if (target.byteSize() != blocks * step) {
            throw new IllegalArgumentException(
                    target.byteSize() + " bytes do not fit " + blocks + " blocks of " + type);
        }
        for (long i = 0; i < blocks; i++) {
            block.read(source, i * type.blockBytes(), target, i * step);
        }
    }

    private static Block block(GgufType type) {
        return switch (type) {
            case F32 ->
                    (s, from, t, to) -> t.set(FLOAT, to, Float.intBitsToFloat(s.get(INT, from)));
            case F16 -> (s, from, t, to) -> t.set(FLOAT, to, BlockBytes.half(s, from));
            case BF16 ->
                    (s, from, t, to) ->
                            t.set(FLOAT, to, Float.intBitsToFloat(s.get(SHORT, from) << 16));
            case Q8_0 -> SmallBlockReader::q8;
            case Q4_0 -> SmallBlockReader::q4;
            case Q4_1 -> SmallBlockReader::q4WithMinimum;
            case Q5_0 -> SmallBlockReader::q5;
            case Q5_1 -> SmallBlockReader::q5WithMinimum;
            case IQ4_NL -> SmallBlockReader::iq4nl;
            case MXFP4 -> SmallBlockReader::mxfp4;
            case Q2_K -> SuperBlockReader::q2;
            case Q3_K -> SuperBlockReader::q3;
            case Q4_K -> SuperBlockReader::q4;
            case Q5_K -> SuperBlockReader::q5;
            case Q6_K -> SuperBlockReader::q6;
            case Q8_K -> SuperBlockReader::q8;
            case IQ4_XS -> SuperBlockReader::iq4xs;
            case TQ1_0 -> TernaryBlockReader::tq1;
            case TQ2_0 -> TernaryBlockReader::tq2;
            default -> throw new IllegalArgumentException(type + " cannot be dequantized");
        };
    }
}
