package org.espalier.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.espalier.checkpoint.HubCache;
import org.espalier.core.UserError;

/** The texts that may lie in a model's own folder, and the model that comes with espalier. */
final class ModelTexts {
    private static final String HELD_OUT = "held-out.txt";
    private static final String CALIBRATION = "calibration.txt";

    private ModelTexts() {}

    /** The model's own text for calibration, if it has one. */
    static Optional<Path> calibration(Path model) {
        return existing(HubCache.snapshot(model).resolve(CALIBRATION));
    }

    /** The model's own text for measuring, if it has one. */
    static Optional<Path> findHeldOut(Path model) {
        return existing(HubCache.snapshot(model).resolve(HELD_OUT));
    }

    /** The model's own text for measuring; without one the user must give a text. */
    static Path heldOut(Path model) {
        return findHeldOut(model)
                .orElseThrow(() ->
                        new UserError(
                                model
                                        + " has no "
                                        + HELD_OUT
                                        + " to measure on: give a .txt or .jsonl file with --text"));
    }

    /** The only model folder under {@code models/} of the project. */
    static Path shippedModel() {
        Path models = Path.of(System.getProperty("espalier.home", ".")).resolve("models");
        if (Files.isDirectory(models)) {
            try (Stream<Path> folders = Files.list(models)) {
                List<Path> found =
                        folders.filter(folder -> Files.exists(folder.resolve("config.json")))
                                .sorted()
                                .toList();
                if (!found.isEmpty()) {
                    return found.getFirst();
                }
            } catch (java.io.IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        }
        throw new UserError(
                "no model is given and none is in "
                        + models
                        + ": name the folder of a Hugging Face checkpoint");
    }

    private static Optional<Path> existing(Path file) {
        return Files.isRegularFile(file) ? Optional.of(file) : Optional.empty();
    }
}
