package org.espalier.core.progress;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class LineProgressTest {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final AtomicLong clock = new AtomicLong();

    @Test
    void aPipeGetsWholeLinesAndOnlyAFew() {
        LineProgress progress = progress(false);
        for (int done = 0; done <= 100; done++) {
            progress.step("pruning block", done, 100);
            pass(0.2);
        }
        assertThat(text().lines())
                .containsExactly(
                        "pruning block 0 of 100",
                        "pruning block 25 of 100, 15 s left",
                        "pruning block 50 of 100, 10 s left",
                        "pruning block 75 of 100, 5.0 s left",
                        "pruning block 100 of 100, took 20 s");
        assertThat(text()).doesNotContain("\r", "\u001b");
    }

    @Test
    void aTerminalSeesOneLineThatIsRewritten() {
        LineProgress progress = progress(true);
        progress.step("block", 0, 3);
        pass(2);
        progress.step("block", 1, 3);
        pass(2);
        progress.step("block", 2, 3);
        pass(2);
        progress.step("block", 3, 3);
        assertThat(text())
                .isEqualTo(
                        "\r\u001b[Kblock 0 of 3"
                                + "\r\u001b[Kblock 1 of 3, 4.0 s left"
                                + "\r\u001b[Kblock 2 of 3, 2.0 s left"
                                + "\r\u001b[Kblock 3 of 3, took 6.0 s\n");
    }

    @Test
    void aRemarkDoesNotLandBehindAnOpenLine() {
        LineProgress progress = progress(true);
        progress.step("block", 0, 3);
        progress.note("short of text");
        progress.finish();
        assertThat(text()).isEqualTo("\r\u001b[Kblock 0 of 3\r\u001b[Kshort of text\n");
    }

    @Test
    void aNewStageStartsItsOwnClock() {
        LineProgress progress = progress(false);
        progress.step("reading", 0, 2);
        pass(50);
        progress.step("reading", 2, 2);
        progress.step("writing", 0, 2);
        pass(1);
        progress.step("writing", 2, 2);
        assertThat(text()).endsWith("writing 0 of 2\nwriting 2 of 2, took 1.0 s\n");
    }

    @Test
    void durationsReadWell() {
        assertThat(LineProgress.duration(0.04)).isEqualTo("0.0 s");
        assertThat(LineProgress.duration(9.96)).isEqualTo("10 s");
        assertThat(LineProgress.duration(185)).isEqualTo("3 min 5 s");
        assertThat(LineProgress.duration(7499)).isEqualTo("2 h 4 min");
    }

    private LineProgress progress(boolean terminal) {
        PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
        return new LineProgress(out, terminal, clock::get);
    }

    private void pass(double seconds) {
        clock.addAndGet(Math.round(seconds * 1e9));
    }

    private String text() {
        return bytes.toString(StandardCharsets.UTF_8).replace(System.lineSeparator(), "\n");
    }
}
