package org.espalier.prune.repair;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.bytedeco.javacpp.PointerScope;
import org.espalier.core.pattern.Group;
import org.espalier.core.pattern.Pattern;
import org.espalier.prune.repair.Dsnot.Cycles.Count;
import org.espalier.prune.repair.Dsnot.Cycles.Fraction;
import org.junit.jupiter.api.Test;

/** The golden cases of the card dsnot. */
class DsnotTest {
    private static final Pattern ROW = new Pattern.Unstructured(new Group.Row());
    private static final Dsnot EVERYTHING =
            new Dsnot(new Count(50), 0.001, 1, false, Dsnot.Layers.ALL);

    @Test
    void swapsTheWeightThatGivesMostBackForTheLeastImportantOneOfTheOtherSign() {
        try (PointerScope scope = new PointerScope()) {
            // Feature sums 1, variances 1: contributions are the weights. Removed are 1, 2 and
            // -0.5, so e = 2.5.
            RepairCase layer =
                    RepairCase.of(
                            new float[] {1, 2, -3, -4, 5, -0.5f},
                            1,
                            ROW,
                            new int[] {0, 0, 1, 1, 1, 0},
                            RepairCase.statistics(1, 1, 1, 1, 1, 1));
            float[] once = layer.repaired(new Dsnot(new Count(1), 0.1, 1, false, Dsnot.Layers.ALL));
            // The largest, 2, grows; of the kept negatives the smaller, -3, goes: e = 2.5 - 2 - 3 =
            // -2.5.
            assertThat(once).containsExactly(0, 2, 0, -4, 5, 0);
            // Now the row gives too much: -0.5 grows and 5, the only positive one there was, goes:
            // e = 3.
            float[] twice =
                    layer.repaired(new Dsnot(new Count(2), 0.1, 1, false, Dsnot.Layers.ALL));
            assertThat(twice).containsExactly(0, 2, 0, -4, 0, -0.5f);
            // With the same-sign test the first swap already goes too far.
            assertThat(layer.repaired(new Dsnot(new Count(50), 0.1, 1, true, Dsnot.Layers.ALL)))
                    .containsExactly(0, 0, -3, -4, 5, 0);
        }
    }

    @Test
    void growthPrefersFeaturesOfSmallVarianceAndSurvivesDeadOnes() {
        try (PointerScope scope = new PointerScope()) {
            int[] keep = {0, 0, 1, 0};
            float[] weight = {3, 2, -1, 1};
            RepairCase steady =
                    RepairCase.of(weight, 1, ROW, keep, RepairCase.statistics(9, 1, 1, 1));
            Dsnot once = new Dsnot(new Count(1), 0.1, 1, false, Dsnot.Layers.ALL);
            assertThat(steady.repaired(once)).containsExactly(0, 2, 0, 0);
            assertThat(steady.repaired(new Dsnot(new Count(1), 0.1, 0, false, Dsnot.Layers.ALL)))
                    .containsExactly(3, 0, 0, 0);
            RepairCase dead =
                    RepairCase.of(weight, 1, ROW, keep, RepairCase.statistics(9, 1, 1, 0));
            assertThat(dead.repaired(once)).containsExactly(0, 0, 0, 1);
        }
    }

    @Test
    void zeroCyclesOrAnInfiniteThresholdReturnTheStart() {
        try (PointerScope scope = new PointerScope()) {
            RepairCase layer = RepairCase.random(5, 13, 40, ROW, 0.6);
            for (Dsnot idle :
                    new Dsnot[] {
                        new Dsnot(new Count(0), 0.1, 1, false, Dsnot.Layers.ALL),
                        new Dsnot(
                                new Count(50), Double.POSITIVE_INFINITY, 1, false, Dsnot.Layers.ALL)
                    }) {
                assertThat(layer.repaired(idle)).isEqualTo(layer.start());
            }
            assertThat(layer.repaired(EVERYTHING)).isNotEqualTo(layer.start());
        }
    }

    /** The official 50 cycles swap most of a narrow row and next to nothing of a wide one; a share does not. */
    @Test
    void aShareOfTheRowIsThatManyCycles() {
        for (int columns : new int[] {40, 7, 64}) {
            try (PointerScope scope = new PointerScope()) {
                RepairCase layer = RepairCase.random(6, 13, columns, ROW, 0.5);
                Dsnot share = new Dsnot(new Fraction(0.1), 0, 1, false, Dsnot.Layers.ALL);
                Dsnot count = new Dsnot(new Count(columns / 10), 0, 1, false, Dsnot.Layers.ALL);
                assertThat(layer.repaired(share)).isEqualTo(layer.repaired(count));
            }
        }
        assertThat(new Fraction(0.7).in(10)).isEqualTo(7);
        assertThatThrownBy(() -> new Fraction(1.1)).hasMessageContaining("share");
    }

    @Test
    void theExpectedErrorOfEachRowDoesNotGrowUnderTheSameSignTest() {
        Dsnot sameSign = new Dsnot(new Count(50), 0.001, 1, true, Dsnot.Layers.ALL);
        for (long seed = 1; seed <= 20; seed++) {
            try (PointerScope scope = new PointerScope()) {
                RepairCase layer = RepairCase.random(seed, 9, 57, ROW, 0.5);
                double[] before = layer.expectedErrors(layer.start());
                double[] after = layer.expectedErrors(layer.repaired(sameSign));
                for (int row = 0; row < before.length; row++) {
                    assertThat(Math.abs(after[row]))
                            .as("row %d, seed %d", row, seed)
                            .isLessThanOrEqualTo(Math.abs(before[row]) + 1e-6);
                }
            }
        }
    }

    @Test
    void theMeanOutputErrorFalls() {
        for (Pattern pattern : new Pattern[] {ROW, new Pattern.NofM(2, 4)}) {
            double before = 0;
            double after = 0;
            for (long seed = 1; seed <= 10; seed++) {
                try (PointerScope scope = new PointerScope()) {
                    RepairCase layer = RepairCase.random(seed, 20, 512, pattern, 0.5);
                    before += RepairCase.norm(layer.expectedErrors(layer.start()));
                    after += RepairCase.norm(layer.expectedErrors(layer.repaired(EVERYTHING)));
                }
            }
            assertThat(after).as("%s, seeds 1 to 10", pattern).isLessThan(0.4 * before);
        }
    }

    @Test
    void nOfMSwapsWithinTheGroupAndNeverPastZero() {
        try (PointerScope scope = new PointerScope()) {
            RepairCase layer =
                    RepairCase.of(
                            new float[] {1, 2, 3, 4, -1, -2, 7, 8},
                            1,
                            new Pattern.NofM(2, 4),
                            new int[] {0, 1, 1, 0, 0, 0, 1, 1},
                            RepairCase.statistics(1, 1, 1, 1, 1, 1, 1, 1));
            // e = 1 + 4 - 1 - 2 = 2: growing 4 for 2 gives e = 0, which is no longer positive.
            assertThat(layer.repaired(EVERYTHING)).isEqualTo(layer.start());
            RepairCase open =
                    RepairCase.of(
                            new float[] {1, 2, 3, 4, -0.5f, -0.5f, 7, 8},
                            1,
                            new Pattern.NofM(2, 4),
                            new int[] {0, 1, 1, 0, 0, 0, 1, 1},
                            RepairCase.statistics(1, 1, 1, 1, 1, 1, 1, 1));
            // e = 4: growing 4 for 2 gives 2, then growing 1 for 3 gives 4 and the lists are used
            // up.
            assertThat(open.repaired(EVERYTHING)).containsExactly(1, 0, 0, 4, 0, 0, 7, 8);
            assertThat(open.expectedErrors(open.repaired(EVERYTHING))[0])
                    .isCloseTo(4, within(1e-9));
        }
    }

    @Test
    void aGroupWithNothingLeftToGiveIsPassedOver() {
        try (PointerScope scope = new PointerScope()) {
            RepairCase layer =
                    RepairCase.of(
                            new float[] {8, 7, -1, 5, -2, 1},
                            1,
                            new Pattern.NofM(1, 3),
                            new int[] {0, 0, 1, 0, 1, 0},
                            RepairCase.statistics(1, 1, 1, 1, 1, 1));
            // e = 21. 8 grows for -1: 12. 7 finds its group empty. 5 grows for -2: 5. 1 finds its
            // group empty.
            assertThat(layer.repaired(EVERYTHING)).containsExactly(8, 0, 0, 5, 0, 0);
        }
    }

    @Test
    void tinyRowsUseUpTheirListsWithoutDisturbingTheMask() {
        for (long seed = 1; seed <= 40; seed++) {
            try (PointerScope scope = new PointerScope()) {
                int columns = 1 + (int) seed % 7;
                RepairCase layer = RepairCase.random(seed, 5, columns, ROW, 0.5);
                layer.assertCountsKept(EVERYTHING);
            }
        }
    }

    @Test
    void survivorsOfASolverThatChangesWeightsKeepTheirNewValues() {
        try (PointerScope scope = new PointerScope()) {
            RepairCase layer =
                    RepairCase.of(
                            new float[] {1, 2, -3, -4},
                            1,
                            ROW,
                            new int[] {0, 0, 1, 1},
                            RepairCase.statistics(1, 1, 1, 1));
            float[] solved = {0, 0, -2.5f, -4.5f};
            // e = (1 + 2 - 3 - 4) - (-7) = 3: 2 grows and -2.5 goes.
            assertThat(
                            layer.repaired(
                                    new Dsnot(new Count(1), 0.1, 1, false, Dsnot.Layers.ALL),
                                    solved))
                    .containsExactly(0, 2, 0, -4.5f);
        }
    }

    @Test
    void appliesToTheAttentionUnlessToldOtherwise() {
        for (String kind : new String[] {"q", "k", "v", "qkv", "q_a", "q_b", "kv_a", "kv_b", "o"}) {
            assertThat(Dsnot.STANDARD.appliesTo(kind)).isTrue();
        }
        for (String kind : new String[] {"gate", "up", "down"}) {
            assertThat(Dsnot.STANDARD.appliesTo(kind)).isFalse();
            assertThat(EVERYTHING.appliesTo(kind)).isTrue();
        }
    }

    @Test
    void patternsWhoseCountsASwapWouldChangeAreRefused() {
        Pattern blocks = new Pattern.Unstructured(new Group.ColumnBlock(4));
        assertThat(EVERYTHING.refusal(blocks)).isPresent();
        assertThat(EVERYTHING.refusal(new Pattern.Tiles(2, 2, new Group.Row()))).isPresent();
        assertThat(EVERYTHING.refusal(new Pattern.Unstructured(new Group.Layer()))).isEmpty();
        assertThat(EVERYTHING.refusal(new Pattern.NofM(1, 3))).isEmpty();
        try (PointerScope scope = new PointerScope()) {
            RepairCase layer = RepairCase.random(1, 4, 8, blocks, 0.5);
            assertThatThrownBy(() -> layer.repaired(EVERYTHING))
                    .hasMessageContaining("column blocks");
        }
    }

    @Test
    void settingsOutOfRangeAreRefused() {
        assertThatThrownBy(() -> new Dsnot(new Count(-1), 0, 1, false, Dsnot.Layers.ALL))
                .hasMessageContaining("cycles");
        assertThatThrownBy(() -> new Dsnot(new Count(1), Double.NaN, 1, false, Dsnot.Layers.ALL))
                .hasMessageContaining("threshold");
        assertThatThrownBy(() -> new Dsnot(new Count(1), 0, -1, false, Dsnot.Layers.ALL))
                .hasMessageContaining("power");
    }
}
