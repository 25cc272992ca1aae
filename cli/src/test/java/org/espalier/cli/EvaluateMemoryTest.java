package org.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.espalier.audit.language.ReadingMemory;
import org.espalier.audit.language.ReadingPlan;
import org.espalier.cli.Runs.Outcome;
import org.espalier.core.progress.Progress;
import org.espalier.network.Block;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A limit changes how a text is read, never what is measured. */
class EvaluateMemoryTest {
    @TempDir Path folder;
    private TinyRun run;
    private Path scratch;

    @BeforeEach
    void makeModel() throws IOException {
        run = TinyRun.in(folder);
        scratch = Files.createDirectory(folder.resolve("scratch"));
    }

    @Test
    void theTightestLimitGivesTheSameFigures() throws IOException {
        Path pruned = folder.resolve("pruned");
        assertThat(run.run(pruned, "magnitude").code()).isZero();
        for (Object[] models : new Object[][] {{pruned}, {pruned, "--against", run.model()}}) {
            Outcome plain = evaluate(models);
            assertThat(plain.code()).as(plain.err()).isZero();
            assertThat(plain.err()).doesNotContain("to spare memory");
            long limit = least(models.length > 1).estimate().total();
            Outcome spared = evaluate(with(models, "--memory", limit + "B", "--scratch", scratch));
            assertThat(spared.code()).as(spared.err()).isZero();
            assertThat(spared.err())
                    .contains(
                            "to spare memory: hidden states in a scratch file, matrices converted one at a time");
            assertThat(spared.out()).isEqualTo(plain.out());
            try (var left = Files.list(scratch)) {
                assertThat(left).isEmpty();
            }
        }
    }

    @Test
    void whatCannotFitIsRefusedWithTheFigureThatWould() {
        Outcome refused = evaluate(run.model(), "--memory", "300MB");
        assertThat(refused.code()).isEqualTo(Main.USER_ERROR);
        assertThat(refused.out()).isEmpty();
        assertThat(refused.err().strip().lines()).hasSize(1);
        assertThat(refused.err())
                .startsWith("espalier: --memory 287MiB is too little for measuring on this text; ")
                .endsWith("; give that much, or a smaller --window\n");
        Matcher enough = Pattern.compile("; (\\S+) would do").matcher(refused.err());
        assertThat(enough.find()).isTrue();
        assertThat(evaluate(run.model(), "--memory", enough.group(1)).code()).isZero();
        assertThat(evaluate(run.model(), "--memory", "much").err()).contains("such as 4GiB");
    }

    @Test
    void aScratchFolderThatIsNotThereIsOneLine() {
        long limit = least(false).estimate().total();
        Outcome refused =
                evaluate(
                        run.model(),
                        "--memory",
                        limit + "B",
                        "--scratch",
                        folder.resolve("nowhere"));
        assertThat(refused.code()).isEqualTo(Main.USER_ERROR);
        assertThat(refused.err()).contains("cannot make the scratch file");
    }

    @Test
    void theTermsAreThoseOfTheShapes() {
        // Two batches, of 20 and of 13 tokens; 24 channels; 29 tokens in the vocabulary.
        ReadingMemory memory = memory(false);
        assertThat(memory.stateBytes()).isEqualTo(4 * (2 * 20 + 13) * 24);
        assertThat(memory(true).stateBytes()).isEqualTo(2 * memory.stateBytes());
        // The widest matrix is the MLP's: 40 x 24; three queries of 8, one key.
        long pass = 4L * 20 * (4 * 24 + Math.max(2 * 24 + 7 * 24 + 4 * 8, 2 * 24 + 3 * 40));
        var whole = memory.estimate(false, Block.Loading.WHOLE);
        assertThat(whole.block()).isEqualTo(4 * (2 * 576 + 2 * 192 + 3 * 960));
        assertThat(whole.states()).isEqualTo(memory.stateBytes());
        assertThat(whole.work()).isEqualTo(pass);
        var least = memory.estimate(true, Block.Loading.ON_DEMAND);
        assertThat(least.block()).isZero();
        assertThat(least.states()).isZero();
        assertThat(least.work()).isEqualTo(pass + 4 * 960);
    }

    private ReadingPlan least(boolean compared) {
        return ReadingPlan.least(memory(compared));
    }

    private ReadingMemory memory(boolean compared) {
        try (OpenModel open = OpenModel.open(run.model())) {
            ReadingMemory.Network network = ReadingMemory.Network.of(open.decoder());
            return ReadingMemory.of(
                    compared ? List.of(network, network) : List.of(network),
                    MeasureText.of(open, run.text(), null, null, null, Progress.SILENT).windows());
        }
    }

    private Outcome evaluate(Object... words) {
        return Runs.run(
                with(
                        new Object[] {"evaluate"},
                        with(words, "--text", run.text(), "--json", "--threads", 1)));
    }

    private static Object[] with(Object[] words, Object... more) {
        List<Object> all = new ArrayList<>(Arrays.asList(words));
        all.addAll(Arrays.asList(more));
        return all.toArray();
    }
}
