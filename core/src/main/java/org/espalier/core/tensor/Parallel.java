package org.espalier.core.tensor;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/** Splits a loop over rows among as many platform threads as libtorch may use. */
public final class Parallel {
    /** Below this many elements a thread costs more to start than it saves. */
    private static final long WORTH_A_THREAD = 1 << 16;

    private Parallel() {}

    /** A piece of a loop. Pieces run at the same time and must write to different places. */
    @FunctionalInterface
    public interface Range {
        /**
         * Handles the rows of one piece.
         *
         * @param from first row
         * @param to one past the last row
         */
        void run(long from, long to);
    }

    /**
     * Runs {@code body} over all rows in contiguous pieces, at most one per thread of {@link Torch#threads}, and returns
     * when all are done. If pieces fail, the failure of the lowest rows is thrown, whichever came first, so that the
     * message is the same in every run.
     *
     * @param rows number of rows
     * @param elements elements handled per row, to tell whether threads are worth their cost
     */
    public static void rows(long rows, long elements, Range body) {
        long worthwhile = Math.max(1, rows * Math.max(1, elements) / WORTH_A_THREAD);
        int pieces = (int) Math.min(Math.min(rows, Torch.threads()), worthwhile);
        if (pieces <= 1) {
            body.run(0, rows);
            return;
        }
        FutureTask<?>[] tasks = new FutureTask<?>[pieces];
        for (int piece = 0; piece < pieces; piece++) {
            long from = rows * piece / pieces;
            long to = rows * (piece + 1) / pieces;
            tasks[piece] = new FutureTask<>(() -> body.run(from, to), null);
        }
        for (int piece = 1; piece < pieces; piece++) {
            Thread.ofPlatform().name("espalier-rows-" + piece).daemon().start(tasks[piece]);
        }
        tasks[0].run();
        await(tasks);
    }

    private static void await(FutureTask<?>[] tasks) {
        Throwable failure = null;
        boolean interrupted = false;
        for (int piece = 0; piece < tasks.length; ) {
            try {
                tasks[piece].get();
                piece++;
            } catch (InterruptedException e) {
                // The pieces share memory that the caller frees, so they must end before we may
                // leave.
                interrupted = true;
            } catch (ExecutionException e) {
                failure = failure == null ? e.getCause() : failure;
                piece++;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        if (failure instanceof RuntimeException unchecked) {
            throw unchecked;
        }
        if (failure instanceof Error error) {
            throw error;
        }
    }
}
