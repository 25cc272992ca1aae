package org.espalier.train.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.espalier.checkpoint.journal.Differences;
import org.espalier.core.UserError;
import org.junit.jupiter.api.Test;

class TrainingSettingsTest {
    private static final TrainingText TEXT = new TrainingText.Stories(1, 10, 2, 2);

    @Test
    void everyFaultIsNamedAtOnce() {
        ModelShape shape = new ModelShape(100, 30, 8, 0, 4, 3, 1);
        assertThatThrownBy(() ->
                        new TrainingSettings(
                                "wrong",
                                shape,
                                TEXT,
                                6,
                                4,
                                new TrainingLength.Minutes(0),
                                Double.NaN,
                                0,
                                -1,
                                0,
                                0,
                                0,
                                0,
                                1,
                                0))
                .isInstanceOf(UserError.class)
                .hasMessageContainingAll(
                        "vocabulary: must be at least 258 but is 100",
                        "blocks: must be at least 1",
                        "context: must be at least 2",
                        "heads: must divide hidden, but 30 is no multiple of 4",
                        "kvHeads: must divide heads, but 4 is no multiple of 3",
                        "heads: a head would be 7 wide",
                        "sequencesPerPass: must divide sequencesPerStep",
                        "minutes: must be more than 0",
                        "peakLearningRate: must be more than 0 but is NaN",
                        "warmUpSteps: must be at least 1",
                        "weightDecay: must be at least 0",
                        "gradientNorm: must be more than 0",
                        "heldOutEvery",
                        "heldOutSequences",
                        "checkpointEvery",
                        "threads");
    }

    @Test
    void threadsAndCheckpointsDoNotCountAsDifferent() {
        TrainingSettings settings = TinySettings.of(5, 1e-3, 1);
        assertThat(
                        Differences.between(
                                Fingerprint.of(settings), Fingerprint.of(settings.withThreads(4))))
                .isEmpty();
    }

    @Test
    void parametersAreCounted() {
        ModelShape shape = new ModelShape(1024, 256, 512, 5, 4, 2, 512);
        assertThat(shape.parameterCount()).isEqualTo(3_214_080);
    }
}
