package org.espalier.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.espalier.core.progress.Progress;

/**
 * Listens for the remark that a run goes on, and looks into the journal that it goes on from. Can end a run before any
 * block.
 */
final class Notes implements Progress {
    private static final Pattern RESUMING =
            Pattern.compile("resuming after block (\\d+) of " + TinyCheckpoint.BLOCKS);

    private final List<String> notes = new ArrayList<>();
    private final int last;
    private int repeated;

    /** Lets the run come to its end. */
    Notes() {
        this(Integer.MAX_VALUE);
    }

    /** Ends the run when so many blocks are finished. */
    Notes(int last) {
        this.last = last;
    }

    /** The run was ended. */
    static final class Ended extends Error {
        private static final long serialVersionUID = 1;
    }

    @Override
    public void step(String stage, int done, int total) {
        repeated += stage.equals("repeating block") ? 1 : 0;
        if (stage.equals("pruning block") && done == last) {
            throw new Ended();
        }
    }

    @Override
    public void note(String message) {
        notes.add(message);
    }

    /** Finished blocks that were run again for the hidden states behind them. */
    int repeated() {
        return repeated;
    }

    /** All remarks. */
    List<String> all() {
        return List.copyOf(notes);
    }

    /** The block that the run went on after; 0 if it began anew. */
    int resumedAfter() {
        return resumedAfter(String.join("\n", notes));
    }

    /** The same from what a process has printed. */
    static int resumedAfter(String printed) {
        Matcher resuming = RESUMING.matcher(printed);
        return resuming.find() ? Integer.parseInt(resuming.group(1)) : 0;
    }

    /** The work folder of an interrupted run. */
    static Path work(Path out) {
        return out.resolveSibling("." + out.getFileName() + ".partial");
    }

    /** The finished blocks in the journal of an interrupted run. */
    static int finishedBlocks(Path out) throws IOException {
        Path journal = work(out).resolve("journal.jsonl");
        if (!Files.exists(journal)) {
            return 0;
        }
        String text = Files.readString(journal);
        return (int)
                text.substring(0, text.lastIndexOf('\n') + 1)
                        .lines()
                        .filter(line -> line.contains("\"entry\":{\"block\":"))
                        .count();
    }
}
