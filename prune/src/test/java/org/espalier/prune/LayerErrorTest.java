package org.espalier.prune;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.tensor.Tensors;
import org.espalier.prune.calibrate.LayerStatistics;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LayerErrorTest {
    /** Removing 3 of (3, 4) leaves 9 of 25, whatever the scale; squares of 1e30 and 1e-30 do not fit float32. */
    @ParameterizedTest
    @ValueSource(floats = {1, 1e30f, 1e-30f, 1e-38f})
    void isTheSameAtEveryScale(float scale) {
        try (PointerScope scope = new PointerScope()) {
            Tensor dense = Tensors.floats(new float[] {3 * scale, 4 * scale}, 1, 2);
            Tensor pruned = Tensors.floats(new float[] {0, 4 * scale}, 1, 2);
            Tensor gram = Tensors.floats(new float[] {2, 0, 0, 2}, 2, 2);
            Tensor squares = Tensors.doubles(new double[] {2, 2}, 2);
            for (LayerStatistics statistics :
                    new LayerStatistics[] {
                        LayerStatistics.NONE,
                        new LayerStatistics(1, 2, squares, null, null, null),
                        new LayerStatistics(1, 2, null, null, null, gram)
                    }) {
                assertThat(LayerError.relative(dense, pruned, statistics))
                        .as("%s at %s", LayerError.kind(statistics), scale)
                        .isCloseTo(0.36, within(1e-6));
            }
        }
    }
}
