/** Trains small decoder language models from random weights: settings, optimiser, loop, checkpoints, loss curve. */
@NullMarked
package org.espalier.train.model;

import org.jspecify.annotations.NullMarked;
