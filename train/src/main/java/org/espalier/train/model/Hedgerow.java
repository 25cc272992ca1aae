package org.espalier.train.model;

/**
 * The settings of the model that comes with Espalier, {@code hedgerow-3m}. They are the defaults of {@code espalier
 * train} as well: what differs from them was asked for.
 */
public final class Hedgerow {
    public static final String NAME = "hedgerow-3m";
    public static final ModelShape SHAPE = new ModelShape(1024, 256, 512, 5, 4, 2, 512);
    public static final long STORY_SEED = 20261125;
    public static final long TRAINING_STORIES = 34_000;
    public static final int HELD_OUT_STORIES = 320;
    public static final int CALIBRATION_STORIES = 320;
    public static final int SEQUENCES_PER_STEP = 4;
    public static final int SEQUENCES_PER_PASS = 1;
    public static final int STEPS = 3600;
    public static final double PEAK_LEARNING_RATE = 2e-3;
    public static final int WARM_UP_STEPS = 150;
    public static final double WEIGHT_DECAY = 0.1;
    public static final double GRADIENT_NORM = 1;
    public static final int HELD_OUT_EVERY = 300;
    public static final int HELD_OUT_SEQUENCES = 64;
    public static final int CHECKPOINT_EVERY = 100;
    public static final long SEED = 1;

    private Hedgerow() {}

    /** What the model reads. */
    public static TrainingText text() {
        return new TrainingText.Stories(
                STORY_SEED, TRAINING_STORIES, HELD_OUT_STORIES, CALIBRATION_STORIES);
    }

    /** The settings, for any number of threads. */
    public static TrainingSettings settings(int threads) {
        return new TrainingSettings(
                NAME,
                SHAPE,
                text(),
                SEQUENCES_PER_STEP,
                SEQUENCES_PER_PASS,
                new TrainingLength.Steps(STEPS),
                PEAK_LEARNING_RATE,
                WARM_UP_STEPS,
                WEIGHT_DECAY,
                GRADIENT_NORM,
                HELD_OUT_EVERY,
                HELD_OUT_SEQUENCES,
                CHECKPOINT_EVERY,
                SEED,
                threads);
    }
}
