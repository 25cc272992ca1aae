package org.espalier.cli;

import org.espalier.core.UserError;
import org.espalier.core.progress.Progress;
import org.espalier.prune.resume.PruneJournal;

/** Tells a user whose pruning ends early, by Ctrl-C or by a full disk, what is kept and how to go on. */
final class Interruption implements AutoCloseable {
    private final PruneJournal journal;
    private final int blocks;
    private final Thread hook;

    private Interruption(PruneJournal journal, int blocks, Progress progress) {
        this.journal = journal;
        this.blocks = blocks;
        this.hook = new Thread(() -> progress.note("espalier: interrupted; " + kept()));
    }

    /** Speaks up when the process is told to end, until it is closed. */
    static Interruption watch(PruneJournal journal, int blocks, Progress progress) {
        Interruption interruption = new Interruption(journal, blocks, progress);
        Runtime.getRuntime().addShutdownHook(interruption.hook);
        return interruption;
    }

    /** The error with what is kept. */
    UserError explain(UserError error) {
        return journal.finishedBlocks() == 0
                ? error
                : new UserError(error.getMessage() + "; " + kept(), error);
    }

    private String kept() {
        int finished = journal.finishedBlocks();
        return finished == 0
                ? "no block was finished, so the same command begins anew"
                : finished
                        + " of "
                        + blocks
                        + " blocks are finished and kept, and the same command goes on after them";
    }

    @Override
    public void close() {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The process is ending: the hook has spoken.
        }
    }
}
