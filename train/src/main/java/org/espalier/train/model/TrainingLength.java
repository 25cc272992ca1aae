package org.espalier.train.model;

/** How long a training lasts. */
public sealed interface TrainingLength {
    /**
     * A fixed number of optimiser steps: the same settings give the same bytes on any day.
     *
     * @param count steps, at least 1
     */
    record Steps(int count) implements TrainingLength {}

    /**
     * A budget of time. The number of steps is estimated from the speed during the warm-up and then kept, also when the
     * run is interrupted and resumed.
     *
     * @param count minutes, more than 0
     */
    record Minutes(double count) implements TrainingLength {}
}
