package org.espalier.train.model;

import org.espalier.core.recipe.Problems;

/**
 * Everything that decides the outcome of a training, and how many threads share the work.
 *
 * @param name name of the model, for its card
 * @param model sizes of the model; its {@code context} is the length of a training sequence
 * @param text what the model reads
 * @param sequencesPerStep sequences whose gradients are averaged in one optimiser step
 * @param sequencesPerPass sequences that go through the model together; divides {@code sequencesPerStep}
 * @param length how long the training lasts
 * @param peakLearningRate learning rate at the end of the warm-up
 * @param warmUpSteps steps of linear warm-up
 * @param weightDecay decoupled weight decay of the matrices, per unit of learning rate
 * @param gradientNorm global norm to which gradients are clipped
 * @param heldOutEvery steps between two measurements of the held-out loss
 * @param heldOutSequences held-out sequences that a measurement reads
 * @param checkpointEvery steps between two checkpoints; does not change the outcome
 * @param seed decides the initial weights and the order of the data
 * @param threads passes computed at the same time; does not change the outcome
 */
public record TrainingSettings(
        String name,
        ModelShape model,
        TrainingText text,
        int sequencesPerStep,
        int sequencesPerPass,
        TrainingLength length,
        double peakLearningRate,
        int warmUpSteps,
        double weightDecay,
        double gradientNorm,
        int heldOutEvery,
        int heldOutSequences,
        int checkpointEvery,
        long seed,
        int threads) {
    /** Standard deviation of the initial weights. */
    static final double INITIAL_DEVIATION = 0.02;

    public TrainingSettings {
        Problems problems = new Problems("training settings");
        atLeast(problems, "vocabulary", model.vocabulary(), 258);
        atMost(problems, "vocabulary", model.vocabulary(), PackedTokens.LARGEST_VOCABULARY);
        atLeast(problems, "hidden", model.hidden(), 2);
        atLeast(problems, "intermediate", model.intermediate(), 1);
        atLeast(problems, "blocks", model.blocks(), 1);
        atLeast(problems, "heads", model.heads(), 1);
        atLeast(problems, "kvHeads", model.kvHeads(), 1);
        atLeast(problems, "context", model.context(), 2);
        divides(problems, "heads", model.heads(), "hidden", model.hidden());
        divides(problems, "kvHeads", model.kvHeads(), "heads", model.heads());
        if (model.heads() > 0 && model.headWidth() % 2 != 0) {
            problems.add(
                    "heads",
                    "a head would be "
                            + model.headWidth()
                            + " wide, but rotary positions need an even width");
        }
        atLeast(problems, "sequencesPerStep", sequencesPerStep, 1);
        atLeast(problems, "sequencesPerPass", sequencesPerPass, 1);
        divides(
                problems,
                "sequencesPerPass",
                sequencesPerPass,
                "sequencesPerStep",
                sequencesPerStep);
        switch (length) {
            case TrainingLength.Steps steps -> atLeast(problems, "steps", steps.count(), 1);
            case TrainingLength.Minutes minutes -> positive(problems, "minutes", minutes.count());
        }
        positive(problems, "peakLearningRate", peakLearningRate);
        atLeast(problems, "warmUpSteps", warmUpSteps, 1);
        if (!(weightDecay >= 0)) {
            problems.add("weightDecay", "must be at least 0 but is " + weightDecay);
        }
        positive(problems, "gradientNorm", gradientNorm);
        atLeast(problems, "heldOutEvery", heldOutEvery, 1);
        atLeast(problems, "heldOutSequences", heldOutSequences, 1);
        atLeast(problems, "checkpointEvery", checkpointEvery, 1);
        atLeast(problems, "threads", threads, 1);
        problems.throwIfAny();
    }

    /** Tokens that one optimiser step learns from. */
    public long tokensPerStep() {
        return (long) sequencesPerStep * model.context();
    }

    /** The same settings with another number of threads. */
    public TrainingSettings withThreads(int count) {
        return new TrainingSettings(
                name,
                model,
                text,
                sequencesPerStep,
                sequencesPerPass,
                length,
                peakLearningRate,
                warmUpSteps,
                weightDecay,
                gradientNorm,
                heldOutEvery,
                heldOutSequences,
                checkpointEvery,
                seed,
                count);
    }

    private static void atLeast(Problems problems, String key, long value, long least) {
        if (value < least) {
            problems.add(key, "must be at least " + least + " but is " + value);
        }
    }

    private static void atMost(Problems problems, String key, long value, long most) {
        if (value > most) {
            problems.add(key, "must be at most " + most + " but is " + value);
        }
    }

    private static void divides(
            Problems problems, String part, int divisor, String whole, int dividend) {
        if (divisor > 0 && dividend % divisor != 0) {
            problems.add(
                    part,
                    "must divide " + whole + ", but " + dividend + " is no multiple of " + divisor);
        }
    }

    private static void positive(Problems problems, String key, double value) {
        if (!(value > 0) || Double.isInfinite(value)) {
            problems.add(key, "must be more than 0 but is " + value);
        }
    }
}
