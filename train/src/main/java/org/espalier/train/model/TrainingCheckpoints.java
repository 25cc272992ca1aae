package org.espalier.train.model;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.DType;
import org.espalier.checkpoint.DurableFiles;
import org.espalier.checkpoint.SafetensorsFile;
import org.espalier.checkpoint.journal.Differences;
import org.espalier.core.UserError;
import org.espalier.train.tokenizer.BytePairVocabulary;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * The checkpoints of a training, one folder per saved step: a model folder in float32, the optimiser's moments, and
 * {@code training.json}. A folder is written under another name and renamed when it is whole; then the one before it is
 * removed. Killed at any moment, at least one whole checkpoint is left.
 */
final class TrainingCheckpoints {
    private static final String PREFIX = "step-";
    private static final String PARTIAL = ".partial";
    private static final String OPTIMISER = "optimizer.safetensors";
    private static final String STATE = "training.json";
    private static final String FIRST_MOMENT = "first_moment";
    private static final String SECOND_MOMENT = "second_moment";

    private final Path folder;
    private final TrainingSettings settings;
    private final BytePairVocabulary vocabulary;

    /**
     * @param folder where the checkpoints lie
     * @param settings settings of the run that saves or resumes
     * @param vocabulary tokenizer of the model
     */
    TrainingCheckpoints(Path folder, TrainingSettings settings, BytePairVocabulary vocabulary) {
        this.folder = folder;
        this.settings = settings;
        this.vocabulary = vocabulary;
    }

    /** Saves the trainer's state after its last step. */
    void save(Trainer trainer, int plannedSteps) {
        try {
            Files.createDirectories(folder);
            Path target = folder.resolve(PREFIX + trainer.step());
            Path partial = folder.resolve(target.getFileName() + PARTIAL);
            for (Path interrupted : entries(true)) {
                DurableFiles.removeAll(interrupted);
            }
            Files.createDirectories(partial);
            try (PointerScope scope = new PointerScope()) {
                ModelFolder.write(
                        partial, settings.model(), vocabulary, trainer.tensors(), DType.F32);
                AdamW optimiser = trainer.optimiser();
                ModelFolder.writeTensors(
                        partial.resolve(OPTIMISER),
                        Map.of(
                                FIRST_MOMENT, optimiser.firstMoment(),
                                SECOND_MOMENT, optimiser.secondMoment()),
                        DType.F32);
            }
            ObjectNode state = JsonMapper.shared().createObjectNode();
            state.put("step", trainer.step()).put("plannedSteps", plannedSteps);
            state.set("settings", Fingerprint.of(settings));
            ModelFolder.writeJson(partial.resolve(STATE), state);
            List<Path> older = saved();
            DurableFiles.removeAll(target);
            DurableFiles.force(partial);
            DurableFiles.rename(partial, target);
            for (Path old : older) {
                if (!old.equals(target)) {
                    DurableFiles.removeAll(old);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Puts the trainer into the state of the newest checkpoint, if there is one.
     *
     * @return the planned number of steps; empty when there is no checkpoint
     * @throws UserError when the checkpoint was made with other settings, naming the differences
     */
    OptionalInt resume(Trainer trainer) {
        try {
            List<Path> saved = saved();
            if (saved.isEmpty()) {
                return OptionalInt.empty();
            }
            Path newest = saved.getLast();
            JsonNode state = JsonMapper.shared().readTree(Files.readString(newest.resolve(STATE)));
            List<String> differences =
                    Differences.between(
                            (ObjectNode) state.required("settings"), Fingerprint.of(settings));
            if (!differences.isEmpty()) {
                throw new UserError(
                        newest
                                + " was made with other settings: "
                                + String.join("; ", differences)
                                + "; use the same settings, or another --out, or delete "
                                + folder);
            }
            load(newest, trainer);
            trainer.resumeAfter(state.required("step").asInt());
            return OptionalInt.of(state.required("plannedSteps").asInt());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void load(Path checkpoint, Trainer trainer) {
        try (PointerScope scope = new PointerScope();
                Checkpoint model = Checkpoint.open(checkpoint);
                SafetensorsFile moments = SafetensorsFile.open(checkpoint.resolve(OPTIMISER))) {
            trainer.tensors().forEach((name, tensor) -> tensor.copy_(model.tensor(name)));
            AdamW optimiser = trainer.optimiser();
            optimiser.firstMoment().copy_(moments.tensor(FIRST_MOMENT));
            optimiser.secondMoment().copy_(moments.tensor(SECOND_MOMENT));
        }
    }

    /** Whole checkpoints, oldest first. */
    private List<Path> saved() throws IOException {
        return entries(false).stream()
                .sorted(Comparator.comparingInt(TrainingCheckpoints::step))
                .toList();
    }

    private List<Path> entries(boolean partial) throws IOException {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.filter(path -> path.getFileName().toString().startsWith(PREFIX))
                    .filter(path -> path.getFileName().toString().endsWith(PARTIAL) == partial)
                    .toList();
        }
    }

    private static int step(Path checkpoint) {
        return Integer.parseInt(checkpoint.getFileName().toString().substring(PREFIX.length()));
    }
}
