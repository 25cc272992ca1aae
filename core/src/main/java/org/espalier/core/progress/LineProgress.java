package org.espalier.core.progress;

import java.io.PrintStream;
import java.util.Locale;
import java.util.function.LongSupplier;

/**
 * Progress as text. On a terminal one line is rewritten in place, with the time left; elsewhere whole lines are
 * printed, at most one every few seconds, so that a log stays readable.
 */
public final class LineProgress implements Progress {
    private static final double TERMINAL_SECONDS = 0.1;
    private static final double PLAIN_SECONDS = 5;

    /** Carriage return, then "erase to the end of the line" of every terminal in use. */
    private static final String REWRITE = "\r\u001b[K";

    private final PrintStream out;
    private final boolean terminal;
    private final LongSupplier nanoTime;
    private String stage = "";
    private long stageStart;
    private long lastPrinted;
    private boolean lineOpen;

    /**
     * @param out where the lines go, usually stderr
     * @param terminal whether {@code out} is a terminal, on which a line can be rewritten
     * @param nanoTime the clock, {@code System::nanoTime} outside tests
     */
    public LineProgress(PrintStream out, boolean terminal, LongSupplier nanoTime) {
        this.out = out;
        this.terminal = terminal;
        this.nanoTime = nanoTime;
    }

    @Override
    public synchronized void step(String stage, int done, int total) {
        long now = nanoTime.getAsLong();
        boolean first = !stage.equals(this.stage) || done == 0;
        if (first) {
            this.stage = stage;
            stageStart = now;
        }
        boolean last = done >= total;
        double pause = terminal ? TERMINAL_SECONDS : PLAIN_SECONDS;
        if (!first && !last && seconds(now - lastPrinted) < pause) {
            return;
        }
        lastPrinted = now;
        String line = stage + " " + done + " of " + total + timing(done, total, now);
        if (terminal) {
            out.print(REWRITE + line);
            lineOpen = !last;
            if (last) {
                out.println();
            }
        } else {
            out.println(line);
        }
        out.flush();
    }

    @Override
    public synchronized void note(String message) {
        out.println(lineOpen ? REWRITE + message : message);
        lineOpen = false;
        out.flush();
    }

    /** Ends a line that is still open, so that the next writer to the stream starts on a fresh one. */
    public synchronized void finish() {
        if (lineOpen) {
            out.println();
            out.flush();
            lineOpen = false;
        }
    }

    private String timing(int done, int total, long now) {
        double elapsed = seconds(now - stageStart);
        if (done >= total) {
            return ", took " + duration(elapsed);
        }
        if (done == 0) {
            return "";
        }
        return ", " + duration(elapsed / done * (total - done)) + " left";
    }

    /** A duration as people read it: {@code 0.4 s}, {@code 12 s}, {@code 3 min 5 s}, {@code 2 h 4 min}. */
    public static String duration(double seconds) {
        if (seconds < 9.95) {
            return String.format(Locale.ROOT, "%.1f s", seconds);
        }
        long whole = Math.round(seconds);
        if (whole < 60) {
            return whole + " s";
        }
        if (whole < 3600) {
            return whole / 60 + " min " + whole % 60 + " s";
        }
        return whole / 3600 + " h " + whole % 3600 / 60 + " min";
    }

    private static double seconds(long nanos) {
        return nanos * 1e-9;
    }
}
