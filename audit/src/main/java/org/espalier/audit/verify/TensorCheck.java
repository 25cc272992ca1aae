package org.espalier.audit.verify;

import java.util.Arrays;
import java.util.Optional;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.DType;
import org.espalier.core.tensor.Tensors;

/** Compares single tensors of the pruned model with those of the dense one. */
final class TensorCheck {
    private TensorCheck() {}

    /**
     * Whether a tensor is the dense one to the bit, rounded where its dtype is another.
     *
     * @param expected the dtype that it must have
     */
    static Optional<String> identical(
            Checkpoint dense, Checkpoint pruned, String name, DType expected) {
        Optional<String> form = form(dense, pruned, name, expected);
        if (form.isPresent()) {
            return form;
        }
        try (PointerScope scope = new PointerScope()) {
            Tensor before = dense.tensor(name);
            if (dense.dtype(name) != expected) {
                before = before.to(type(expected)).contiguous();
            }
            return Tensors.segment(before).mismatch(Tensors.segment(pruned.tensor(name))) < 0
                    ? Optional.empty()
                    : Optional.of(name + " differs from the dense model's");
        }
    }

    /**
     * Whether everything that is not zero is the dense value, as the pruner reads it in float32 and rounds it.
     *
     * @param expected the dtype that the tensor must have
     */
    static Optional<String> survivors(
            Checkpoint dense, Checkpoint pruned, String name, DType expected) {
        Optional<String> form = form(dense, pruned, name, expected);
        if (form.isPresent()) {
            return form;
        }
        try (PointerScope scope = new PointerScope()) {
            Tensor after = pruned.tensor(name);
            Tensor before = dense.tensor(name).to(ScalarType.Float).to(type(expected));
            Tensor changed = after.ne(before).logical_and(after.ne(new Scalar(0.0)));
            long count = Tensors.countTrue(changed);
            return count == 0
                    ? Optional.empty()
                    : Optional.of(
                            name
                                    + ": "
                                    + count
                                    + " surviving weights differ from the dense model's");
        }
    }

    /** Whether the dense matrix has as many zeros as the receipt says. */
    static Optional<String> zeros(Checkpoint dense, String name, long expected) {
        try (PointerScope scope = new PointerScope()) {
            long zeros =
                    Tensors.countTrue(dense.tensor(name).to(ScalarType.Float).eq(new Scalar(0.0)));
            return zeros == expected
                    ? Optional.empty()
                    : Optional.of(
                            name
                                    + " of the dense model has "
                                    + zeros
                                    + " zeros but the receipt says "
                                    + expected);
        }
    }

    private static Optional<String> form(
            Checkpoint dense, Checkpoint pruned, String name, DType expected) {
        boolean same =
                pruned.dtype(name) == expected
                        && Arrays.equals(dense.shape(name), pruned.shape(name));
        return same
                ? Optional.empty()
                : Optional.of(
                        name
                                + " is "
                                + pruned.dtype(name)
                                + " "
                                + Arrays.toString(pruned.shape(name))
                                + " but should be "
                                + expected
                                + " "
                                + Arrays.toString(dense.shape(name)));
    }

    private static ScalarType type(DType dtype) {
        return dtype.scalarType()
                .orElseThrow(() -> new IllegalStateException(dtype + " has no tensor type"));
    }
}
