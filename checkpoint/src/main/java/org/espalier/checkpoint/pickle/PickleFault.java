package org.espalier.checkpoint.pickle;

import java.io.Serial;

/**
 * What is wrong with a file, as the end of a sentence that begins with its path: what was found, a word of the file's
 * own, and what to do.
 */
public final class PickleFault extends RuntimeException {
    @Serial private static final long serialVersionUID = 1L;

    private static final String AGAIN =
            "; the file is damaged or incomplete: copy or download it again";

    private final String before;
    private final String foreign;
    private final String after;

    PickleFault(String before, String foreign, String after) {
        super(before);
        this.before = before;
        this.foreign = foreign;
        this.after = after;
    }

    /** Bytes that no writer makes. */
    static PickleFault damaged(String what) {
        return new PickleFault(what, "", AGAIN);
    }

    /** Bytes that no writer makes, at something that has a name. */
    static PickleFault damaged(String before, String foreign, String after) {
        return new PickleFault(before, foreign, after + AGAIN);
    }

    /** What was found. */
    public String before() {
        return before;
    }

    /** A word from the file, unfiltered, that follows; empty where there is none. */
    public String foreign() {
        return foreign;
    }

    /** The rest, with what to do. */
    public String after() {
        return after;
    }
}
