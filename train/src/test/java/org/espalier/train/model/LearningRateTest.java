package org.espalier.train.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class LearningRateTest {
    private final LearningRate schedule = new LearningRate(2e-3, 100, 1100);

    @Test
    void climbsInAStraightLineToThePeak() {
        assertThat(schedule.at(1)).isEqualTo(2e-5);
        assertThat(schedule.at(50)).isEqualTo(1e-3);
        assertThat(schedule.at(100)).isEqualTo(2e-3);
    }

    @Test
    void fallsAlongACosineToATenthOfThePeak() {
        assertThat(schedule.at(350))
                .isCloseTo(2e-3 * (0.1 + 0.45 * (1 + Math.sqrt(0.5))), within(1e-15));
        assertThat(schedule.at(600)).isCloseTo(1.1e-3, within(1e-15));
        assertThat(schedule.at(1100)).isCloseTo(2e-4, within(1e-15));
    }

    @Test
    void aWarmUpAsLongAsTheTrainingEndsAtThePeak() {
        assertThat(new LearningRate(1e-3, 7, 7).at(7)).isEqualTo(1e-3);
    }
}
