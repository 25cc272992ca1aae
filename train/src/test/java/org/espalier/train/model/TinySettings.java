package org.espalier.train.model;

import java.util.SplittableRandom;

/** Settings of a model that trains in a second. */
final class TinySettings {
    static final int VOCABULARY = 300;
    static final int CONTEXT = 19;
    static final ModelShape SHAPE = new ModelShape(VOCABULARY, 24, 36, 2, 3, 1, CONTEXT);

    private TinySettings() {}

    static TrainingSettings of(
            TrainingText text, TrainingLength length, double learningRate, int threads) {
        return new TrainingSettings(
                "tiny", SHAPE, text, 6, 2, length, learningRate, 5, 0.1, 1.0, 10, 7, 4, 3, threads);
    }

    static TrainingSettings of(int steps, double learningRate, int threads) {
        TrainingText text = new TrainingText.Stories(11, 60, 12, 4);
        return of(text, new TrainingLength.Steps(steps), learningRate, threads);
    }

    /** A row in which a token decides the next one nine times out of ten. */
    static PackedTokens chain(long seed, int tokens) {
        SplittableRandom random = new SplittableRandom(seed);
        char[] row = new char[tokens];
        for (int i = 1; i < tokens; i++) {
            boolean ruled = random.nextInt(10) < 9;
            row[i] = (char) (ruled ? (row[i - 1] * 7 + 3) % 41 : random.nextInt(41));
        }
        return new PackedTokens(row, CONTEXT, seed);
    }
}
