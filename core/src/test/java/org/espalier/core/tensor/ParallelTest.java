package org.espalier.core.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ParallelTest {
    private static final long MUCH_WORK = 1 << 20;
    private final int threads = Torch.threads();

    @AfterEach
    void restoreThreads() {
        Torch.threads(threads);
    }

    @Test
    void everyRowIsVisitedOnceOnAnyNumberOfThreads() {
        for (int count : new int[] {1, 2, 3, 8}) {
            Torch.threads(count);
            for (int rows : new int[] {0, 1, 2, 7, 100}) {
                AtomicIntegerArray visits = new AtomicIntegerArray(rows);
                Parallel.rows(
                        rows,
                        MUCH_WORK,
                        (from, to) -> {
                            for (long row = from; row < to; row++) {
                                visits.incrementAndGet((int) row);
                            }
                        });
                for (int row = 0; row < rows; row++) {
                    assertThat(visits.get(row)).isOne();
                }
            }
        }
    }

    @Test
    void theFailureOfTheLowestRowsIsTheOneThatIsThrown() {
        Torch.threads(4);
        for (int attempt = 0; attempt < 20; attempt++) {
            assertThatThrownBy(() ->
                            Parallel.rows(
                                    4,
                                    MUCH_WORK,
                                    (from, to) -> {
                                        if (from > 0) {
                                            throw new IllegalStateException("row " + from);
                                        }
                                    }))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("row 1");
        }
    }

    @Test
    void noPieceIsLeftRunningWhenTheFirstOneFails() {
        Torch.threads(2);
        AtomicLong finished = new AtomicLong();
        assertThatThrownBy(() ->
                        Parallel.rows(
                                2,
                                MUCH_WORK,
                                (from, to) -> {
                                    if (from == 0) {
                                        throw new IllegalStateException("first");
                                    }
                                    LockSupport.parkNanos(50_000_000);
                                    finished.incrementAndGet();
                                }))
                .hasMessage("first");
        assertThat(finished).hasValue(1);
    }

    @Test
    void littleWorkStaysInTheCallingThread() {
        Torch.threads(4);
        Thread caller = Thread.currentThread();
        Parallel.rows(100, 1, (from, to) -> assertThat(Thread.currentThread()).isSameAs(caller));
    }
}
