package org.espalier.core.progress;

/** Receives the steps of long work. Implementations are called from one thread at a time. */
public interface Progress {
    /** Ignores everything. */
    Progress SILENT = (stage, done, total) -> {};

    /**
     * A stage moved on.
     *
     * @param stage what is being done, in a few words ("pruning block")
     * @param done steps finished, from 0
     * @param total steps in all, at least 1
     */
    void step(String stage, int done, int total);

    /** A remark for the user that belongs to no step. */
    default void note(String message) {}
}
