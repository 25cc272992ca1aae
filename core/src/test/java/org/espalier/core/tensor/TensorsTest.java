package org.espalier.core.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;

class TensorsTest {
    @Test
    void valuesGoInAndComeOutInRowMajorOrder() {
        try (PointerScope scope = new PointerScope()) {
            Tensor tensor = Tensors.floats(new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
            assertThat(Tensors.shape(tensor)).containsExactly(2, 3);
            assertThat(Tensors.toFloats(tensor.t())).containsExactly(1, 4, 2, 5, 3, 6);
        }
    }

    @Test
    void segmentSharesMemoryAndRefusesViewsThatAreNotContiguous() {
        try (PointerScope scope = new PointerScope()) {
            Tensor tensor = Tensors.floats(new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
            Tensors.segment(tensor).setAtIndex(ValueLayout.JAVA_FLOAT, 4, 50f);
            assertThat(Tensors.toFloats(tensor)).containsExactly(1, 2, 3, 4, 50, 6);
            assertThatThrownBy(() -> Tensors.segment(tensor.t())).hasMessageContaining("[3, 2]");
        }
    }

    @Test
    void tensorOverForeignMemorySeesItsChanges() {
        try (Arena arena = Arena.ofConfined();
                PointerScope scope = new PointerScope()) {
            MemorySegment memory = arena.allocate(16, 64);
            Tensor tensor = Tensors.over(memory, ScalarType.Float, 4);
            memory.setAtIndex(ValueLayout.JAVA_FLOAT, 3, 7f);
            assertThat(Tensors.toFloats(tensor)).containsExactly(0, 0, 0, 7);
        }
    }

    @Test
    void typesCompareByIdentity() {
        try (PointerScope scope = new PointerScope()) {
            Tensor tensor = Tensors.floats(new float[1], 1);
            assertThat(Tensors.type(tensor)).isSameAs(ScalarType.Float);
            assertThat(Tensors.type(tensor.isnan())).isSameAs(ScalarType.Bool);
        }
    }

    @Test
    void scopedResultOutlivesItsOwnScopeAndDiesWithTheOuterOne() {
        Tensor result;
        try (PointerScope outer = new PointerScope()) {
            result =
                    Tensors.scoped(() ->
                            Tensors.floats(new float[] {1, 2}, 2)
                                    .add(Tensors.floats(new float[] {1, 1}, 2)));
            assertThat(Tensors.toFloats(result)).containsExactly(2, 3);
        }
        assertThat(result.isNull()).isTrue();
    }
}
