package org.espalier.checkpoint.gguf;

import org.bytedeco.pytorch.Tensor;
import org.espalier.core.UserError;

/**
 * The order of the rows inside a head of q and k. llama.cpp rotates neighbouring rows 2i and 2i+1 together, Hugging Face
 * rows i and i + headDim/2.
 */
final class RopeOrder {
    private RopeOrder() {}

    /** From halves to neighbours: the way back of {@link #halves}. */
    static Tensor neighbours(Tensor tensor, long heads, String where) {
        long rows = tensor.dim() == 0 ? 0 : tensor.size(0);
        requireHeads(tensor, rows, heads, where);
        long half = rows / heads / 2;
        return tensor.dim() == 1
                ? tensor.reshape(heads, 2, half).transpose(1, 2).reshape(rows)
                : tensor.reshape(heads, 2, half, tensor.size(1))
                        .transpose(1, 2)
                        .reshape(rows, tensor.size(1));
    }

    private static void requireHeads(Tensor tensor, long rows, long heads, String where) {
        if (tensor.dim() > 2 || rows == 0 || rows % (2 * heads) != 0) {
            throw new UserError(
                    where
                            + " has "
                            + rows
                            + " rows, which do not make "
                            + heads
                            + " heads of even width");
        }
    }

    /**
     * From neighbours to halves: row {@code 2i + j} of each head becomes row {@code j * headDim/2 + i}.
     *
     * @param tensor weight [heads * headDim, in] or bias [heads * headDim]
     * @param where names the tensor in messages
     */
    static Tensor halves(Tensor tensor, long heads, String where) {
        long rows = tensor.dim() == 0 ? 0 : tensor.size(0);
        requireHeads(tensor, rows, heads, where);
        long half = rows / heads / 2;
        return tensor.dim() == 1
                ? tensor.reshape(heads, half, 2).transpose(1, 2).reshape(rows)
                : tensor.reshape(heads, half, 2, tensor.size(1))
                        .transpose(1, 2)
                        .reshape(rows, tensor.size(1));
    }
}
