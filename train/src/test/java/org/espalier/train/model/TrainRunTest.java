package org.espalier.train.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.DType;
import org.espalier.core.UserError;
import org.espalier.core.progress.Progress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainRunTest {
    @TempDir Path folder;

    /** Stands for the kill: nothing after the step is done, as the checkpoints are all that survives anyway. */
    private static final class Killed extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    private static Progress killedAfter(int step) {
        return (stage, done, total) -> {
            if (done == step) {
                throw new Killed();
            }
        };
    }

    @Test
    void anInterruptedTrainingEndsWithTheSameBytes() throws IOException {
        TrainRun.Result whole =
                TrainRun.run(
                        TinySettings.of(14, 5e-3, 2), folder.resolve("whole"), Progress.SILENT);
        assertThat(whole.steps()).isEqualTo(14);

        Path out = folder.resolve("resumed");
        // What a kill in the middle of a save leaves behind.
        Path interrupted = folder.resolve("resumed.training/checkpoint/step-2.partial");
        Files.createDirectories(interrupted);
        for (int step : new int[] {3, 6, 9}) {
            assertThatThrownBy(() ->
                            TrainRun.run(TinySettings.of(14, 5e-3, 2), out, killedAfter(step)))
                    .isInstanceOf(Killed.class);
        }
        assertThat(folder.resolve("resumed.training/checkpoint/step-8")).isDirectory();
        assertThat(folder.resolve("resumed.training/checkpoint/step-4")).doesNotExist();
        assertThat(interrupted).doesNotExist();
        TrainRun.Result resumed = TrainRun.run(TinySettings.of(14, 5e-3, 1), out, Progress.SILENT);

        assertThat(resumed.heldOutLoss()).isEqualTo(whole.heldOutLoss());
        for (String file :
                List.of(
                        "model.safetensors",
                        "training.json",
                        "tokenizer.json",
                        "README.md",
                        "held-out.txt")) {
            assertThat(out.resolve(file))
                    .hasSameBinaryContentAs(folder.resolve("whole").resolve(file));
        }
        assertThat(Files.readAllLines(out.resolve("loss.jsonl"))).hasSize(14);
        assertThat(folder.resolve("resumed.training")).doesNotExist();
    }

    @Test
    void theOutputIsACheckpointThatOpens() throws IOException {
        Path out = folder.resolve("model");
        TrainRun.run(TinySettings.of(2, 1e-3, 1), out, Progress.SILENT);
        try (Checkpoint checkpoint = Checkpoint.open(out);
                Stream<Path> files = Files.list(out)) {
            assertThat(checkpoint.dominantDtype()).isEqualTo(DType.BF16);
            assertThat(checkpoint.config().path("model_type").asString()).isEqualTo("llama");
            Set<String> names =
                    files.map(path -> path.getFileName().toString()).collect(Collectors.toSet());
            assertThat(names)
                    .containsExactlyInAnyOrder(
                            "config.json",
                            "generation_config.json",
                            "model.safetensors",
                            "tokenizer.json",
                            "tokenizer_config.json",
                            "special_tokens_map.json",
                            "training.json",
                            "README.md",
                            "held-out.txt",
                            "calibration.txt",
                            "loss.jsonl",
                            "loss.html");
        }
        assertThatThrownBy(() -> TrainRun.run(TinySettings.of(2, 1e-3, 1), out, Progress.SILENT))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("exists already");
    }

    @Test
    void otherSettingsOnResumingAreRefusedByName() {
        Path out = folder.resolve("model");
        assertThatThrownBy(() -> TrainRun.run(TinySettings.of(14, 5e-3, 1), out, killedAfter(5)))
                .isInstanceOf(Killed.class);
        assertThatThrownBy(() -> TrainRun.run(TinySettings.of(15, 4e-3, 1), out, Progress.SILENT))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("peakLearningRate was 0.005 and is now 0.004")
                .hasMessageContaining("steps was 14 and is now 15");
    }

    @Test
    void aBudgetOfTimeBecomesANumberOfStepsThatIsKept() {
        TrainingText text = new TrainingText.Stories(11, 60, 12, 4);
        TrainingSettings settings =
                TinySettings.of(text, new TrainingLength.Minutes(0.01), 1e-3, 1);
        Path out = folder.resolve("model");
        TrainRun.Result result = TrainRun.run(settings, out, Progress.SILENT);
        assertThat(result.steps()).isGreaterThanOrEqualTo(settings.warmUpSteps());
        assertThat(out.resolve("model.safetensors")).exists();
    }

    @Test
    void textOfOnesOwnIsSplitIntoThreeParts() throws IOException {
        Path file = folder.resolve("own.jsonl");
        List<String> lines =
                Stream.iterate(0, i -> i + 1)
                        .limit(60)
                        .map(i ->
                                "{\"text\": \"line "
                                        + i
                                        + " says a thing of its own, once and twice\"}")
                        .toList();
        Files.write(file, lines);
        TrainingText text = TrainingText.OwnText.read(file);
        assertThat(text.training()).hasSize(54);
        assertThat(text.heldOut()).contains("line 57", "line 59").doesNotContain("line 56");
        assertThat(text.calibration()).contains("line 54", "line 56").doesNotContain("line 57");

        Path little = folder.resolve("little.txt");
        Files.writeString(little, "a word");
        assertThatThrownBy(() -> TrainingText.OwnText.read(little))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("too little text");
    }
}
