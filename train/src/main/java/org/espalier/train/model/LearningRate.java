package org.espalier.train.model;

/**
 * Linear warm-up to a peak, then half a cosine down to a tenth of it (the schedule of Hoffmann et al. 2022).
 *
 * @param peak largest rate, reached at the last step of the warm-up
 * @param warmUp steps of the warm-up, at least 1
 * @param steps steps of the whole training; a warm-up that is as long leaves no cosine
 */
record LearningRate(double peak, int warmUp, int steps) {
    /** What remains of the peak at the last step. */
    static final double FINAL_FRACTION = 0.1;

    /**
     * The rate of a step.
     *
     * @param number number of the step, from 1 to the last
     */
    double at(int number) {
        if (number <= warmUp) {
            return peak * number / warmUp;
        }
        double progress = (double) (number - warmUp) / (steps - warmUp);
        double cosine = 0.5 * (1 + Math.cos(Math.PI * progress));
        return peak * (FINAL_FRACTION + (1 - FINAL_FRACTION) * cosine);
    }
}
