package org.espalier.audit.language;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class WindowTest {
    @Test
    void windowsSideBySideLoseTheirFirstPredictionAndTheTail() {
        List<Window> windows = Window.cut(ids(11), 4, 4, false);
        assertThat(windows)
                .containsExactly(
                        new Window(List.of(0L, 1L, 2L, 3L), 1),
                        new Window(List.of(4L, 5L, 6L, 7L), 1));
    }

    @Test
    void overlappingWindowsCountOnlyNewTokens() {
        List<Window> windows = Window.cut(ids(8), 4, 2, false);
        assertThat(windows)
                .containsExactly(
                        new Window(List.of(0L, 1L, 2L, 3L), 1),
                        new Window(List.of(2L, 3L, 4L, 5L), 2),
                        new Window(List.of(4L, 5L, 6L, 7L), 2));
    }

    @Test
    void aShortSequenceIsOneWindowAndASingleTokenIsNone() {
        assertThat(Window.cut(ids(3), 8, 8, false))
                .containsExactly(new Window(List.of(0L, 1L, 2L), 1));
        assertThat(Window.cut(ids(1), 8, 8, true)).isEmpty();
        assertThat(Window.cut(ids(0), 8, 8, true)).isEmpty();
    }

    @Test
    void withTheTailEveryTokenIsPredictedOnceUnlessAWindowBeginsWithIt() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        for (int round = 0; round < 500; round++) {
            int tokens = random.nextInt(60);
            int length = 2 + random.nextInt(12);
            int stride = 1 + random.nextInt(length);
            List<Long> predicted = new ArrayList<>();
            for (Window window : Window.cut(ids(tokens), length, stride, true)) {
                assertThat(window.tokens().size()).isLessThanOrEqualTo(length);
                predicted.addAll(
                        window.tokens().subList(window.firstCounted(), window.tokens().size()));
            }
            List<Long> expected =
                    LongStream.range(1, tokens)
                            .filter(token -> stride < length || token % length != 0)
                            .boxed()
                            .toList();
            assertThat(predicted)
                    .as("seed %d: %d tokens, length %d, stride %d", seed, tokens, length, stride)
                    .isEqualTo(expected);
        }
    }

    @Test
    void aStrideLongerThanTheWindowWouldSkipTokens() {
        assertThatThrownBy(() -> Window.cut(ids(9), 4, 5, false))
                .isInstanceOf(IllegalArgumentException.class);
    }

    private static long[] ids(int count) {
        return LongStream.range(0, count).toArray();
    }
}
