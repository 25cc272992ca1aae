package org.espalier.audit.verify;

import java.util.Arrays;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.audit.receipt.LayerEntry;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.core.tensor.Tensors;

/** Compares single pruned matrices with what the receipt says. */
final class MatrixCheck {
    private static final Pattern N_OF_M = Pattern.compile("(\\d+):(\\d+)");

    private MatrixCheck() {}

    /** What is wrong with a pruned matrix: its zeros, or its N:M groups. */
    static Optional<String> of(Checkpoint checkpoint, LayerEntry layer) {
        String name = layer.name() + ".weight";
        if (!checkpoint.contains(name)) {
            return Optional.of(checkpoint.folder() + " lacks the tensor " + name);
        }
        try (PointerScope scope = new PointerScope()) {
            Tensor zero = checkpoint.tensor(name).eq(new Scalar(0.0));
            long[] shape = {layer.rows(), layer.columns()};
            if (layer.transposed()) {
                shape = new long[] {layer.columns(), layer.rows()};
            }
            if (!Arrays.equals(Tensors.shape(zero), shape)) {
                return Optional.of(
                        name + " is " + Tensors.describe(zero) + ", not as the receipt says");
            }
            long zeros = Tensors.countTrue(zero);
            if (zeros != layer.zeros() || zeros < layer.removed()) {
                return Optional.of(
                        name + " has " + zeros + " zeros but the receipt says " + layer.zeros());
            }
            Matcher matcher = N_OF_M.matcher(layer.pattern());
            if (matcher.matches()) {
                long kept = Long.parseLong(matcher.group(1));
                long width = Long.parseLong(matcher.group(2));
                Tensor rows = (layer.transposed() ? zero.t() : zero).contiguous();
                return groups(name, rows, kept, width);
            }
        }
        return Optional.empty();
    }

    private static Optional<String> groups(String name, Tensor zero, long kept, long width) {
        Tensor perGroup = zero.view(-1, width).to(ScalarType.Long).sum(1);
        long broken = Tensors.countTrue(perGroup.lt(new Scalar(width - kept)));
        return broken == 0
                ? Optional.empty()
                : Optional.of(
                        name + ": " + broken + " groups keep more than " + kept + " of " + width);
    }
}
