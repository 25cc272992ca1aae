package org.espalier.prune.select;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.tensor.Tensors;
import org.junit.jupiter.api.Test;

class MaskTest {
    @Test
    void removedEntriesBecomePositiveZeroAndSurvivorsKeepTheirBits() {
        try (PointerScope scope = new PointerScope()) {
            float[] values = {-1, Float.NaN, -0f, -3, Float.MIN_VALUE, 2};
            Mask mask =
                    new Mask(
                            Tensors.floats(new float[] {0, 0, 1, 0, 1, 1}, 2, 3)
                                    .ne(Tensors.floats(new float[1], 1)));
            float[] applied = Tensors.toFloats(mask.apply(Tensors.floats(values, 2, 3)));
            int[] bits = new int[6];
            for (int i = 0; i < 6; i++) {
                bits[i] = Float.floatToRawIntBits(applied[i]);
            }
            assertThat(bits).containsExactly(0, 0, 0x80000000, 0, 1, Float.floatToRawIntBits(2));
            assertThat(mask.removed()).isEqualTo(3);
            assertThat(mask.kept()).isEqualTo(3);
            assertThat(mask.sparsity()).isEqualTo(0.5);
        }
    }

    @Test
    void onlyContiguousBoolMatricesAreMasks() {
        try (PointerScope scope = new PointerScope()) {
            Tensor floats = Tensors.floats(new float[6], 2, 3);
            assertThatThrownBy(() -> new Mask(floats)).hasMessageContaining("Float [2, 3]");
            assertThatThrownBy(() -> new Mask(floats.isnan().t())).hasMessageContaining("[3, 2]");
            assertThatThrownBy(() -> new Mask(floats.isnan().view(-1))).hasMessageContaining("[6]");
        }
    }
}
