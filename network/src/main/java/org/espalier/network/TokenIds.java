package org.espalier.network;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.UserError;
import org.espalier.core.tensor.Tensors;

/** Checks token ids before libtorch answers a wrong one with a page of C++ frames. */
final class TokenIds {
    private TokenIds() {}

    /** Ids are int64 [sequences, tokens] and inside the vocabulary. */
    static void check(Tensor ids, long vocabulary) {
        if (ids.dim() != 2 || ids.scalar_type().intern() != ScalarType.Long) {
            throw new IllegalArgumentException(
                    "token ids are int64 [sequences, tokens] but have shape "
                            + Tensors.describe(ids));
        }
        MemorySegment values = Tensors.segment(ids);
        long tokens = ids.size(1);
        for (long at = 0; at < ids.numel(); at++) {
            long id = values.getAtIndex(ValueLayout.JAVA_LONG, at);
            if (id < 0 || id >= vocabulary) {
                throw new UserError(
                        "token id "
                                + id
                                + " (sequence "
                                + at / tokens
                                + ", token "
                                + at % tokens
                                + ") is outside the vocabulary of "
                                + vocabulary
                                + "; was the text encoded with another tokenizer?");
            }
        }
    }
}
