package org.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.espalier.cli.Runs.Outcome;
import org.espalier.core.UserError;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A limit changes how a model is pruned, never what comes out. */
class MemoryLimitTest {
    @TempDir Path folder;
    private TinyRun run;

    @BeforeEach
    void makeModel() throws IOException {
        run = TinyRun.in(folder);
    }

    @ParameterizedTest
    @ValueSource(strings = {"wanda", "owl-wanda", "sparsegpt", "wanda-bias"})
    void theTightestLimitGivesTheSameFolder(String recipe) throws IOException {
        Path plain = folder.resolve("plain/out");
        assertThat(run.run(plain, recipe).code()).isZero();
        long limit = run.tightest(recipe);
        Path spared = folder.resolve("spared/out");
        Outcome outcome = run.run(spared, recipe, "--memory", limit + "B");
        assertThat(outcome.code()).as(outcome.err()).isZero();
        assertThat(outcome.err()).contains("to spare memory: ");
        assertThat(outcome.err()).contains("hidden states in a scratch file");
        Folders.assertSame(plain, spared, recipe + " within " + limit + " bytes");
        try (var entries = Files.list(folder.resolve("spared"))) {
            assertThat(entries).containsExactly(spared);
        }
    }

    @Test
    void whatCannotFitIsRefusedWithTheFigureThatWould() throws IOException {
        Path out = folder.resolve("made/out");
        Outcome outcome = run.run(out, "sparsegpt", "--memory", "300MB");
        assertThat(outcome.code()).isEqualTo(Main.USER_ERROR);
        assertThat(outcome.out()).isEmpty();
        assertThat(outcome.err().strip().lines()).hasSize(1);
        assertThat(outcome.err())
                .startsWith("espalier: --memory 287MiB is too little for this model and recipe; ");
        assertThat(folder.resolve("made")).doesNotExist();
        Matcher enough = Pattern.compile("; (\\S+) would do").matcher(outcome.err());
        assertThat(enough.find()).isTrue();
        assertThat(run.run(out, "sparsegpt", "--memory", enough.group(1)).code()).isZero();
    }

    @Test
    void inspectSaysInAdvanceWhatAPruningTakes() {
        Outcome plan =
                Runs.run(
                        "inspect",
                        run.model(),
                        "--plan",
                        "--recipe",
                        "sparsegpt",
                        "--samples",
                        3,
                        "--sequence-length",
                        10,
                        "--json");
        assertThat(plan.code()).as(plan.err()).isZero();
        var json = tools.jackson.databind.json.JsonMapper.shared().readTree(plan.out());
        var memory = json.get("memoryBytes");
        assertThat(memory.get("states").asLong()).isEqualTo(3 * 10 * 24 * 4);
        // q, o: 24 x 24; k, v: 8 x 24; gate, up, down: 40 x 24.
        assertThat(memory.get("block").asLong()).isEqualTo(4 * (2 * 576 + 2 * 192 + 3 * 960));
        assertThat(memory.get("statistics").asLong()).isEqualTo(4 * (3 * 576 + 1600));
        // Two generations, for a run that goes on.
        assertThat(json.get("scratchBytes").asLong()).isEqualTo(2 * 3 * 10 * 24 * 4);
        assertThat(json.get("outputBytes").asLong())
                .isEqualTo(2 * (2 * 29 * 24 + 24 + 6 * (2 * 24 + 1152 + 384 + 2880)));
        assertThat(json.get("seconds").asDouble()).isPositive();
        Outcome text = Runs.run("inspect", run.model(), "--plan", "--recipe", "magnitude");
        assertThat(text.out()).contains("runs no text").contains("everything in memory");
        Outcome refused = Runs.run("inspect", run.model(), "--plan", "--memory", "1MB");
        assertThat(refused.code()).isEqualTo(Main.USER_ERROR);
        assertThat(refused.err()).contains("would do");
    }

    @ParameterizedTest
    @CsvSource({
        "4GiB, 4294967296",
        "6G, 6442450944",
        "6g, 6442450944",
        "500MB, 500000000",
        "1.5 GiB, 1610612736",
        "512m, 536870912",
        "2TB, 2000000000000",
        "77B, 77"
    })
    void amountsAreRead(String text, long bytes) {
        assertThat(MemorySize.parse(text)).isEqualTo(bytes);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "4", "GiB", "-4GiB", "4GBs", "0GiB", "1e9B", "999999999TB"})
    void otherThingsAreRefused(String text) {
        assertThatThrownBy(() -> MemorySize.parse(text))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("such as 4GiB, 6G or 500MB but is '" + text + "'");
    }

    @Test
    void amountsArePrintedSoThatTheyCanBeGivenBack() {
        for (long bytes : new long[] {1, 77_777, 536_870_913, 1L << 30, 4_294_967_297L}) {
            String words = MemorySize.words(bytes);
            assertThat(MemorySize.parse(words)).as(words).isBetween(bytes, bytes + (11L << 20));
        }
    }
}
