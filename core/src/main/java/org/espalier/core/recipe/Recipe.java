package org.espalier.core.recipe;

import org.jspecify.annotations.Nullable;

/**
 * A pruning method as data: one part per axis. The parts are names until the engine looks them up.
 *
 * @param name how the user calls it
 * @param paper where it was published, or null for a mixture of one's own
 * @param card name of its method card, or null
 * @param summary one sentence for lists, may be empty
 * @param variant {@code paper} or {@code released} where the official code departs from its paper
 * @param calibration how much text it reads by default
 * @param score importance score, or null where the solver brings its own
 * @param allocate how the budget is spread over the layers
 * @param select pattern and sparsity
 * @param solver how a layer is solved; {@code mask} composes score, selection and repair
 * @param repair how the survivors make up for the loss
 * @param inputs whether a block sees already pruned or dense inputs while it is measured
 * @param protect matrices that are left dense and do not count in the budget
 */
public record Recipe(
        String name,
        @Nullable Paper paper,
        @Nullable String card,
        String summary,
        Variant variant,
        CalibrationDefaults calibration,
        @Nullable Part score,
        Part allocate,
        Selection select,
        Part solver,
        Part repair,
        Inputs inputs,
        Protection protect) {

    /**
     * Where a method was published.
     *
     * @param title title of the paper
     * @param arxiv arXiv number such as {@code 2306.11695}, or null
     */
    public record Paper(String title, @Nullable String arxiv) {}

    /**
     * Default amount of calibration text.
     *
     * @param samples number of sequences
     * @param sequenceLength tokens per sequence; clipped to what the model can read
     */
    public record CalibrationDefaults(int samples, int sequenceLength) {}

    /** Which description of a method is followed where paper and official code differ. */
    public enum Variant {
        PAPER,
        RELEASED
    }

    /** What the blocks read during calibration. */
    public enum Inputs {
        /** The outputs of the blocks already pruned (the default of the one-shot methods). */
        PROPAGATED,
        /** The outputs of the dense blocks. */
        DENSE
    }

    /** This recipe with another selection. */
    public Recipe withSelect(Selection selection) {
        return new Recipe(
                name,
                paper,
                card,
                summary,
                variant,
                calibration,
                score,
                allocate,
                selection,
                solver,
                repair,
                inputs,
                protect);
    }

    /** This recipe with blocks measured on other inputs. */
    public Recipe withInputs(Inputs other) {
        return new Recipe(
                name,
                paper,
                card,
                summary,
                variant,
                calibration,
                score,
                allocate,
                select,
                solver,
                repair,
                other,
                protect);
    }

    /** This recipe with other matrices left dense. */
    public Recipe withProtect(Protection other) {
        return new Recipe(
                name,
                paper,
                card,
                summary,
                variant,
                calibration,
                score,
                allocate,
                select,
                solver,
                repair,
                inputs,
                other);
    }
}
