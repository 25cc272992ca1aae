package org.espalier.prune.solve.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.tensor.Tensors;
import org.espalier.prune.solve.Layers;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HessianFactorTest {
    private PointerScope scope;

    @BeforeEach
    void openScope() {
        scope = new PointerScope();
    }

    @AfterEach
    void closeScope() {
        scope.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 63, 129})
    void oneFactorizationEqualsTheOfficialThree(int columns) {
        Tensor inputs = Layers.correlated(1, 300, columns);
        Tensor gram = inputs.t().matmul(inputs);
        HessianFactor factor = HessianFactor.of(gram, 5, 0.01);
        Tensor hessian = gram.to(ScalarType.Double).mul(new Scalar(2.0 / 5));
        hessian.diagonal().add_(hessian.diagonal().mean().mul(new Scalar(0.01)));
        Tensor official =
                torch.linalg_cholesky(torch.cholesky_inverse(torch.linalg_cholesky(hessian)), true);
        Tensor inverse = torch.linalg_inv(official);
        Tensor upper = factor.upper().triu();
        assertThat(upper.sub(inverse).abs().max().item_double())
                .isLessThan(2e-5 * inverse.abs().max().item_double());
        int from = columns / 3;
        int width = columns - from - columns / 5;
        Tensor block = Tensors.floats(factor.inverse(from, width), width, width);
        Tensor expected = official.narrow(0, from, width).narrow(1, from, width);
        assertThat(block.sub(expected).abs().max().item_double())
                .isLessThan(2e-5 * official.abs().max().item_double());
        assertThat(torch.equal(block, block.triu())).isTrue();
        assertThat(factor.damping()).isEqualTo(0.01);
    }

    @Test
    void oneTokenIsEnoughWithDampingAndDampingGrowsTenfoldWithout() {
        Tensor inputs = Layers.normal(2, 1, 40);
        Tensor gram = inputs.t().matmul(inputs);
        assertThat(HessianFactor.of(gram, 1, 0.01).damping()).isEqualTo(0.01);
        // Slightly indefinite, as sums in low precision are: the smallest eigenvalue is -0.05.
        Tensor indefinite = torch.ones(40, 40);
        indefinite.diagonal().fill_(new Scalar(0.95));
        assertThat(HessianFactor.of(indefinite, 1, 0).damping()).isEqualTo(0.1);
        assertThat(HessianFactor.of(indefinite, 1, 0.02).damping()).isEqualTo(0.2);
    }

    @Test
    void aMatrixThatNoDampingMendsIsNamed() {
        Tensor gram = Layers.normal(3, 4, 4);
        gram.diagonal().fill_(new Scalar(1.0));
        gram.select(0, 0).fill_(new Scalar(100.0));
        assertThatThrownBy(() -> HessianFactor.of(gram.mul(new Scalar(-1.0)), 1, 0.01))
                .isInstanceOf(ArithmeticException.class)
                .hasMessageContaining("[4, 4]")
                .hasMessageContaining("damping 1.0");
        Tensor broken = torch.eye(4);
        broken.select(0, 1).fill_(new Scalar(Double.NaN));
        assertThatThrownBy(() -> HessianFactor.of(broken, 1, 0.01)).hasMessageContaining("NaN");
    }

    @Test
    void unusedInputsGetDiagonalOneAndAreNamed() {
        Tensor inputs = Layers.correlated(4, 90, 6);
        inputs.select(1, 2).zero_();
        HessianFactor factor = HessianFactor.of(inputs.t().matmul(inputs), 3, 0);
        assertThat(Tensors.toFloats(factor.dead())).containsExactly(0, 0, 1, 0, 0, 0);
        assertThat(Tensors.toFloats(factor.upper())[2 * 6 + 2]).isCloseTo(1f, within(1e-6f));
        assertThat(factor.deadFeatures()).containsExactly(false, false, true, false, false, false);
    }
}
