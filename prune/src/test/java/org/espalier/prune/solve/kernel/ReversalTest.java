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
    /** Even and odd sizes: the middle row of an odd one is its own mirror. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 63, 64, 65, 90, 91, 129})
    void turnsRowsAndColumnsAroundInOneTriangle(int size) {
        try (PointerScope scope = new PointerScope()) {
            Tensor matrix = Layers.normal(size, size, size);
            Tensor expected = matrix.flip(0, 1);
            Tensor apart = torch.full_like(matrix, new Scalar(7.0));
            Reversal.toUpper(matrix, apart, 0.5f);
            assertThat(torch.equal(apart.triu(), expected.mul(new Scalar(0.5)).triu())).isTrue();
            Tensor whole = matrix.clone();
            Reversal.turn(whole, 0.5f);
            assertThat(torch.equal(whole, expected.mul(new Scalar(0.5)))).isTrue();
            Reversal.toLower(matrix);
            assertThat(torch.equal(matrix.tril(), expected.tril())).isTrue();
        }
    }
}
