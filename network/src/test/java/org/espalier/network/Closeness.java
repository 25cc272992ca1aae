package org.espalier.network;

import static org.assertj.core.api.Assertions.assertThat;

/** How near numbers of the fast pass must be to what is expected. */
final class Closeness {
    private Closeness() {}

    /** The largest difference is small against the largest expected value, which is not nothing itself. */
    static void assertClose(float[] actual, float[] expected, double relative) {
        assertThat(actual).hasSameSizeAs(expected);
        double largest = 0;
        double worst = 0;
        for (int i = 0; i < expected.length; i++) {
            assertThat(Float.isFinite(actual[i])).isTrue();
            largest = Math.max(largest, Math.abs(expected[i]));
            worst = Math.max(worst, Math.abs(expected[i] - actual[i]));
        }
        assertThat(largest).as("the model says something").isGreaterThan(0.1);
        assertThat(worst / largest).as("relative error").isLessThan(relative);
    }
}
