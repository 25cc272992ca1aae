package org.espalier.prune.calibrate;

import java.util.List;

/**
 * The token sequences that a calibration pass reads. They are used as they are: nothing is added, nothing padded;
 * sequences may differ in length.
 *
 * @param sequences token ids, each sequence at least one token long
 */
public record Calibration(List<long[]> sequences) {
    /** What a recipe gets that needs no data. */
    public static final Calibration NONE = new Calibration(List.of());

    public Calibration {
        sequences = List.copyOf(sequences);
        for (long[] sequence : sequences) {
            if (sequence.length == 0) {
                throw new IllegalArgumentException("a calibration sequence has no tokens");
            }
        }
    }

    public boolean isEmpty() {
        return sequences.isEmpty();
    }

    /** Number of tokens in all sequences. */
    public long tokens() {
        return sequences.stream().mapToLong(sequence -> sequence.length).sum();
    }
}
