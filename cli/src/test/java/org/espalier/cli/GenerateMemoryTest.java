package org.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.espalier.cli.Runs.Outcome;
import org.junit.jupiter.api.Test;

/** A model that does not fit is refused before it is loaded, and the figure of the refusal would do. */
class GenerateMemoryTest {
    private static final Pattern TAKES = Pattern.compile("takes ([0-9.]+ ?[KMG]i?B)");

    @Test
    void aModelThatDoesNotFitIsRefusedWithTheFigureThatWouldDo() {
        Outcome refused = generate("--memory", "64MiB");
        assertThat(refused.code()).isEqualTo(Main.USER_ERROR);
        assertThat(refused.out()).isEmpty();
        assertThat(refused.err().lines()).hasSize(1);
        assertThat(refused.err()).contains("float32", "more than --memory 64");
        Matcher figure = TAKES.matcher(refused.err());
        assertThat(figure.find()).as(refused.err()).isTrue();
        Outcome done = generate("--memory", figure.group(1).replace(" ", ""));
        assertThat(done.code()).as(done.err()).isZero();
        assertThat(done.out()).startsWith("Once upon");
    }

    @Test
    void longerTextsTakeMore() {
        assertThat(figure("10")).isLessThan(figure("400"));
    }

    private static double figure(String tokens) {
        Matcher figure =
                Pattern.compile("takes ([0-9.]+)")
                        .matcher(generate("--memory", "1MiB", "--max-tokens", tokens).err());
        assertThat(figure.find()).isTrue();
        return Double.parseDouble(figure.group(1));
    }

    private static Outcome generate(Object... options) {
        Object[] words = {
            "generate", Runs.shipped(), "--prompt", "Once upon a time", "--max-tokens", 3
        };
        if (options.length == 4) {
            words = new Object[] {"generate", Runs.shipped(), "--prompt", "Once upon a time"};
        }
        Object[] all = java.util.Arrays.copyOf(words, words.length + options.length);
        System.arraycopy(options, 0, all, words.length, options.length);
        return Runs.run(all);
    }
}
