package org.espalier.prune.solve.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.espalier.prune.solve.Layers;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ReversalTest {
    /** Below, at and beyond the pieces that are turned together, with odd counts, whose middle is its own mirror. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 63, 64, 65, 90, 91, 129})
    void turnsRowsAndColumnsAroundInPlaceAsWell(int size) {
        try (PointerScope scope = new PointerScope()) {
            Tensor matrix = Layers.normal(size, size, size);
            Tensor expected = matrix.flip(0, 1).mul(new Scalar(0.5));
            Tensor apart = torch.empty_like(matrix);
            Reversal.run(matrix, apart, 0.5f);
            assertThat(torch.equal(apart, expected)).isTrue();
            Reversal.run(matrix, matrix, 0.5f);
            assertThat(torch.equal(matrix, expected)).isTrue();
        }
    }
}
