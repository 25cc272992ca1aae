package org.espalier.prune;

import static org.assertj.core.api.Assertions.assertThat;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.pattern.Group;
import org.espalier.core.pattern.Pattern;
import org.espalier.core.tensor.Tensors;
import org.espalier.prune.calibrate.LayerStatistics;
import org.espalier.prune.layer.LayerProblem;
import org.espalier.prune.layer.LayerSolution;
import org.espalier.prune.select.Mask;
import org.junit.jupiter.api.Test;

class RescaledTest {
    @Test
    void ordinaryWeightsAreLeftAlone() {
        try (PointerScope scope = new PointerScope()) {
            for (float size : new float[] {0, 1e-12f, 1, 1e12f}) {
                LayerProblem problem = problem(size, 0, -size / 2);
                assertThat(Rescaled.of(problem).problem()).isSameAs(problem);
            }
        }
    }

    @Test
    void hugeAndTinyWeightsComeNearOneAndComeBackToTheBit() {
        try (PointerScope scope = new PointerScope()) {
            for (float size : new float[] {Float.MIN_VALUE, 3e-39f, 1e-30f, 1e30f, 3.4e38f}) {
                LayerProblem problem = problem(size, -0.0f, Float.MIN_VALUE);
                Rescaled rescaled = Rescaled.of(problem);
                Tensor inner = rescaled.problem().weight();
                assertThat(Tensors.toFloats(inner)[0]).isBetween(1f, 2f);
                Mask all = new Mask(inner.eq(inner).contiguous());
                LayerSolution same = new LayerSolution(inner.clone(), null, all);
                assertThat(Tensors.toFloats(rescaled.restored(same).weight()))
                        .containsExactly(size, -0.0f, Float.MIN_VALUE);
                LayerSolution half =
                        new LayerSolution(inner.mul(new Scalar(0.5)).contiguous(), null, all);
                assertThat(Tensors.toFloats(rescaled.restored(half).weight())[0])
                        .isEqualTo(size / 2);
            }
        }
    }

    private static LayerProblem problem(float... weight) {
        return new LayerProblem(
                Tensors.floats(weight, 1, weight.length),
                null,
                LayerStatistics.NONE,
                new Pattern.Unstructured(new Group.Row()),
                0.5,
                null);
    }
}
