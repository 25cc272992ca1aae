package org.espalier.prune.select;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.espalier.core.pattern.Group;
import org.espalier.core.pattern.Pattern;
import org.espalier.core.tensor.Tensors;
import org.espalier.prune.select.ComparisonGroups.Kind;
import org.junit.jupiter.api.Test;

class ComparisonGroupsTest {
    private static final List<Pattern> PATTERNS =
            List.of(
                    new Pattern.Unstructured(new Group.Row()),
                    new Pattern.Unstructured(new Group.Layer()),
                    new Pattern.Unstructured(new Group.ColumnBlock(5)),
                    new Pattern.Unstructured(new Group.ColumnBlock(12)),
                    new Pattern.Unstructured(new Group.ColumnBlock(100)),
                    new Pattern.NofM(2, 4),
                    new Pattern.Tiles(7, 3, new Group.Layer()));

    @Test
    void namesTheGroupsOfEachPattern() {
        assertThat(groups(new Pattern.Unstructured(new Group.ColumnBlock(5))).kinds())
                .containsExactly(new Kind(35, 2), new Kind(14, 1));
        assertThat(groups(new Pattern.NofM(2, 4)).kinds()).containsExactly(new Kind(4, 21));
        assertThat(groups(new Pattern.Tiles(2, 5, new Group.Row())))
                .isEqualTo(new ComparisonGroups(List.of(new Kind(3, 4)), 10));
    }

    @Test
    void predictsWhatTheSelectorRemoves() {
        try (PointerScope scope = new PointerScope()) {
            for (Pattern pattern : PATTERNS) {
                for (double sparsity = 0; sparsity < 1; sparsity += 0.0713) {
                    Mask mask =
                            Selector.select(
                                    Tensors.floats(new float[84], 7, 12), pattern, sparsity);
                    assertThat(mask.removed())
                            .as("%s at %s", pattern, sparsity)
                            .isEqualTo(groups(pattern).removed(sparsity));
                }
            }
        }
    }

    @Test
    void climbingStepByStepVisitsEveryCountAndComesBackTheSameWay() {
        for (Pattern pattern : PATTERNS) {
            ComparisonGroups groups = groups(pattern);
            double sparsity = 0;
            while (groups.next(sparsity) <= 1) {
                double next = groups.next(sparsity);
                assertThat(groups.removed(next)).isGreaterThan(groups.removed(sparsity));
                assertThat(groups.removed(Math.nextDown(next) - 1e-6))
                        .isEqualTo(groups.removed(sparsity));
                assertThat(groups.snapped(next + 1e-7)).isEqualTo(next);
                assertThat(groups.previous(next)).isEqualTo(sparsity);
                sparsity = next;
            }
            assertThat(groups.removed(sparsity)).isEqualTo(84);
        }
        assertThat(groups(PATTERNS.getFirst()).previous(0)).isNegative();
    }

    private static ComparisonGroups groups(Pattern pattern) {
        return ComparisonGroups.of(pattern, 7, 12);
    }
}
