package org.espalier.train.stories;

import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.random.RandomGenerator;

/**
 * Draws ranks 0 to n - 1 with the probability falling as in the law of Zipf and Mandelbrot, 1 / (rank + offset)^power.
 */
final class Zipf {
    private static final Map<Integer, Zipf> WORDS = new ConcurrentHashMap<>();

    private final double[] cumulative;

    Zipf(int size, double offset, double power) {
        cumulative = new double[size];
        double sum = 0;
        for (int rank = 0; rank < size; rank++) {
            // Strict, so that every machine tells the same stories.
            sum += StrictMath.pow(rank + offset, -power);
            cumulative[rank] = sum;
        }
    }

    /** For word lists: the last third together has about a twelfth of the draws, whatever the length of the list. */
    static Zipf words(int size) {
        return WORDS.computeIfAbsent(size, fresh -> new Zipf(fresh, Math.max(1, fresh / 2.0), 3));
    }

    /** Whether a rank counts as rare: the last third of the list. */
    static boolean rare(int rank, int size) {
        return 3 * rank >= 2 * size;
    }

    int draw(RandomGenerator random) {
        double point = random.nextDouble() * cumulative[cumulative.length - 1];
        int found = Arrays.binarySearch(cumulative, point);
        return Math.min(found < 0 ? -found - 1 : found + 1, cumulative.length - 1);
    }
}
