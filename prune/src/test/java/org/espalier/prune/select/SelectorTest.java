package org.espalier.prune.select;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.SplittableRandom;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.pattern.Group;
import org.espalier.core.pattern.Pattern;
import org.espalier.core.tensor.Tensors;
import org.espalier.core.tensor.Torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SelectorTest {
    private static final List<Pattern> ANY_SHAPE =
            List.of(
                    new Pattern.Unstructured(new Group.Row()),
                    new Pattern.Unstructured(new Group.Layer()),
                    new Pattern.Unstructured(new Group.Global()),
                    new Pattern.Unstructured(new Group.ColumnBlock(1)),
                    new Pattern.Unstructured(new Group.ColumnBlock(5)),
                    new Pattern.Unstructured(new Group.ColumnBlock(1000)),
                    new Pattern.Tiles(2, 3, new Group.Row()),
                    new Pattern.Tiles(4, 4, new Group.Layer()),
                    new Pattern.Tiles(1, 7, new Group.ColumnBlock(2)));

    @ParameterizedTest
    @CsvSource({"1,1", "1,7", "7,1", "3,33", "17,64", "31,129", "2,1000", "61,83"})
    void agreesWithAStableSortAtAwkwardSizes(int rows, int columns) {
        long seed = 20 + rows * 1000L + columns;
        SplittableRandom random = new SplittableRandom(seed);
        for (Pattern pattern : ANY_SHAPE) {
            for (double sparsity : new double[] {0, 0.1, 0.5, 2.0 / 3, 0.99}) {
                for (int levels : new int[] {1, 3, 1 << 20}) {
                    float[] score = scores(random, rows * columns, levels);
                    assertThat(select(score, rows, columns, pattern, sparsity))
                            .as("%s at %s, %d levels, seed %d", pattern, sparsity, levels, seed)
                            .isEqualTo(
                                    StableSortOracle.select(
                                            score, rows, columns, pattern, sparsity));
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "2,4,3,8",
        "1,4,5,20",
        "4,8,9,64",
        "5,7,2,21",
        "2,2,3,4",
        "16,40,3,120",
        "1,128,2,256"
    })
    void keepsExactlyNOfEveryM(int n, int m, int rows, int columns) {
        Pattern.NofM pattern = new Pattern.NofM(n, m);
        SplittableRandom random = new SplittableRandom(7);
        for (int levels : new int[] {1, 2, 1 << 20}) {
            float[] score = scores(random, rows * columns, levels);
            boolean[] keep = select(score, rows, columns, pattern, pattern.sparsity());
            assertThat(keep)
                    .isEqualTo(
                            StableSortOracle.select(
                                    score, rows, columns, pattern, pattern.sparsity()));
            for (int group = 0; group < keep.length; group += m) {
                int kept = 0;
                for (int i = group; i < group + m; i++) {
                    kept += keep[i] ? 1 : 0;
                }
                assertThat(kept).isEqualTo(n);
            }
        }
    }

    @Test
    void anotherSparsityUnderTheSameMMeansAnotherN() {
        float[] score = {4, 1, 3, 2, 1, 2, 3, 4};
        assertThat(select(score, 1, 8, new Pattern.NofM(2, 4), 0.25))
                .containsExactly(true, false, true, true, false, true, true, true);
        assertThat(select(score, 1, 8, new Pattern.NofM(2, 4), 0)).containsOnly(true);
    }

    @Test
    void equalScoresGoFromTheFront() {
        float[] equal = new float[12];
        Pattern layer = new Pattern.Unstructured(new Group.Layer());
        assertThat(select(equal, 3, 4, layer, 0.5))
                .containsExactly(
                        false, false, false, false, false, false, true, true, true, true, true,
                        true);
    }

    @Test
    void negativeZeroEqualsZeroAndInfinityIsTheMostImportant() {
        float[] score = {
            0f, -0f, Float.POSITIVE_INFINITY, -0f, Float.NEGATIVE_INFINITY, Float.MIN_VALUE
        };
        assertThat(select(score, 1, 6, new Pattern.Unstructured(new Group.Row()), 0.5))
                .containsExactly(false, false, true, true, false, true);
    }

    @Test
    void viewsThatAreNotContiguousAreReadInTheirOwnOrderAndLeftAlone() {
        try (PointerScope scope = new PointerScope()) {
            Tensor score = Tensors.floats(new float[] {1, 4, 2, 5, 3, 6}, 3, 2);
            Mask mask = Selector.select(score.t(), new Pattern.Unstructured(new Group.Row()), 0.5);
            assertThat(Tensors.toFloats(mask.keep())).containsExactly(0, 1, 1, 0, 1, 1);
            assertThat(Tensors.toFloats(score)).containsExactly(1, 4, 2, 5, 3, 6);
        }
    }

    @Test
    void theNumberOfThreadsChangesNothing() {
        int before = Torch.threads();
        float[] score = scores(new SplittableRandom(3), 400 * 700, 50);
        Pattern layer = new Pattern.Unstructured(new Group.Layer());
        try {
            Torch.threads(1);
            boolean[] one = select(score, 400, 700, layer, 0.37);
            Torch.threads(5);
            assertThat(select(score, 400, 700, layer, 0.37)).isEqualTo(one);
        } finally {
            Torch.threads(before);
        }
    }

    @Test
    void nanIsRefusedWithItsPlaceWhateverThreadFindsIt() {
        float[] score = new float[600 * 500];
        score[450 * 500 + 7] = Float.NaN;
        score[90 * 500 + 33] = Float.NaN;
        for (Pattern pattern : ANY_SHAPE) {
            assertThatThrownBy(() -> select(score, 600, 500, pattern, 0))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("the score at row 90, column 33 is NaN");
        }
    }

    @Test
    void columnsThatMDoesNotDivideAreRefused() {
        Pattern pattern = new Pattern.NofM(2, 4);
        assertThat(Selector.refusal(pattern, 3, 6))
                .contains(
                        "2:4 needs a number of input features that 4 divides, but the matrix is 3x6");
        assertThat(Selector.refusal(pattern, 3, 8)).isEmpty();
        assertThatThrownBy(() -> select(new float[18], 3, 6, pattern, 0.5))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("3x6");
    }

    @Test
    void onlyFloatMatricesAreAccepted() {
        try (PointerScope scope = new PointerScope()) {
            Pattern row = new Pattern.Unstructured(new Group.Row());
            assertThatThrownBy(() -> Selector.select(Tensors.floats(new float[6], 6), row, 0.5))
                    .hasMessageContaining("[6]");
            assertThatThrownBy(
                            () -> Selector.select(Tensors.doubles(new double[6], 2, 3), row, 0.5))
                    .hasMessageContaining("Double");
        }
    }

    private static boolean[] select(
            float[] score, int rows, int columns, Pattern pattern, double sparsity) {
        try (PointerScope scope = new PointerScope()) {
            Mask mask = Selector.select(Tensors.floats(score, rows, columns), pattern, sparsity);
            byte[] bytes = Tensors.segment(mask.keep()).toArray(ValueLayout.JAVA_BYTE);
            boolean[] keep = new boolean[bytes.length];
            for (int i = 0; i < keep.length; i++) {
                keep[i] = bytes[i] != 0;
            }
            return keep;
        }
    }

    /** Values of both signs and both zeros, at most {@code levels} different ones per sign. */
    private static float[] scores(SplittableRandom random, int size, int levels) {
        float[] score = new float[size];
        for (int i = 0; i < size; i++) {
            float magnitude = random.nextInt(levels) / 7f;
            score[i] = random.nextInt(4) == 0 ? -magnitude : magnitude;
        }
        return score;
    }
}
