package org.espalier.prune.layer;

import java.io.Serial;

/**
 * The numbers of a layer are beyond what float32 arithmetic can carry: no fault of the program, but of weights or inputs
 * of absurd size. The message says what gave out; the caller knows the layer's name.
 */
public final class NumericFailure extends ArithmeticException {
    @Serial private static final long serialVersionUID = 1;

    /**
     * @param message what gave out, in one clause
     */
    public NumericFailure(String message) {
        super(message);
    }
}
