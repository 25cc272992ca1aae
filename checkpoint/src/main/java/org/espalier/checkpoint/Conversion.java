package org.espalier.checkpoint;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.UserError;

/** Changes of element type on the way into a file: to nearest, ties to even, and never to infinity unseen. */
public final class Conversion {
    private static final long PIECE = 1 << 20;

    private Conversion() {}

    /**
     * The tensor, contiguous and in the given type.
     *
     * @param name for the message
     * @throws UserError when a finite value would become infinite or NaN because the target's range is too small
     */
    public static Tensor convert(String name, Tensor tensor, DType target) {
        ScalarType type =
                target.scalarType()
                        .orElseThrow(
                                () -> new IllegalArgumentException("cannot convert to " + target));
        if (tensor.scalar_type().intern() == type) {
            return tensor.contiguous();
        }
        if (!target.isFloating() || !tensor.is_floating_point()) {
            throw new IllegalArgumentException(
                    name + ": only floating tensors change their dtype, not to " + target);
        }
        Tensor converted = tensor.to(type).contiguous();
        if (overflows(tensor, converted)) {
            throw new UserError(
                    "tensor "
                            + Text.quote(name)
                            + " has values beyond the range of "
                            + target
                            + ", which would become infinite; write float32 or bfloat16 instead");
        }
        return converted;
    }

    /** Looks at a piece at a time: the check holds several float32 copies of what it looks at. */
    private static boolean overflows(Tensor before, Tensor after) {
        try (PointerScope scope = new PointerScope()) {
            Tensor wide = before.reshape(-1);
            Tensor narrow = after.reshape(-1);
            for (long from = 0; from < narrow.numel(); from += PIECE) {
                long length = Math.min(PIECE, narrow.numel() - from);
                if (pieceOverflows(wide.narrow(0, from, length), narrow.narrow(0, from, length))) {
                    return true;
                }
            }
            return false;
        }
    }

    private static boolean pieceOverflows(Tensor before, Tensor after) {
        try (PointerScope scope = new PointerScope()) {
            // The check runs in float32 because libtorch cannot test every narrow type.
            Tensor finite = after.to(ScalarType.Float).isfinite();
            if (finite.all().item_bool()) {
                return false;
            }
            Tensor wasFinite = before.to(ScalarType.Double).isfinite();
            return finite.logical_not().logical_and(wasFinite).any().item_bool();
        }
    }
}
