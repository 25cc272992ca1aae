package org.espalier.cli;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.espalier.core.UserError;
import org.espalier.core.progress.LineProgress;
import org.espalier.train.model.Hedgerow;
import org.espalier.train.model.ModelShape;
import org.espalier.train.model.TrainRun;
import org.espalier.train.model.TrainingLength;
import org.espalier.train.model.TrainingSettings;
import org.espalier.train.model.TrainingText;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code train}: a small model from nothing. */
@Command(
        name = "train",
        description = {
            "Trains a small Llama model and its tokenizer, on stories that espalier makes up or on a text of yours.",
            "A run that was stopped goes on from its last checkpoint when the same command is given again."
        },
        sortOptions = false)
final class TrainCommand implements Callable<Integer> {
    private final Console console;

    @Option(
            names = {"--out", "-o"},
            paramLabel = "DIR",
            required = true,
            description = "Model folder to make.")
    private Path out = Path.of("");

    @Option(
            names = "--name",
            paramLabel = "NAME",
            description = "Name of the model, for its card (default: that of the folder).")
    private @Nullable String name;

    @Option(
            names = "--text",
            paramLabel = "FILE",
            description = "Text to learn from, .txt or .jsonl (default: made-up stories).")
    private @Nullable Path text;

    @Option(
            names = "--stories",
            paramLabel = "N",
            description = "Stories to learn from (default: ${DEFAULT-VALUE}).")
    private long stories = Hedgerow.TRAINING_STORIES;

    @Option(
            names = "--story-seed",
            paramLabel = "N",
            description = "Seed of the stories (default: ${DEFAULT-VALUE}).")
    private long storySeed = Hedgerow.STORY_SEED;

    @Option(
            names = "--vocabulary",
            paramLabel = "N",
            description = "Token ids (default: ${DEFAULT-VALUE}).")
    private int vocabulary = Hedgerow.SHAPE.vocabulary();

    @Option(
            names = "--hidden",
            paramLabel = "N",
            description = "Width (default: ${DEFAULT-VALUE}).")
    private int hidden = Hedgerow.SHAPE.hidden();

    @Option(
            names = "--intermediate",
            paramLabel = "N",
            description = "Width of the MLP (default: ${DEFAULT-VALUE}).")
    private int intermediate = Hedgerow.SHAPE.intermediate();

    @Option(
            names = "--blocks",
            paramLabel = "N",
            description = "Decoder blocks (default: ${DEFAULT-VALUE}).")
    private int blocks = Hedgerow.SHAPE.blocks();

    @Option(
            names = "--heads",
            paramLabel = "N",
            description = "Query heads (default: ${DEFAULT-VALUE}).")
    private int heads = Hedgerow.SHAPE.heads();

    @Option(
            names = "--kv-heads",
            paramLabel = "N",
            description = "Key and value heads (default: ${DEFAULT-VALUE}).")
    private int kvHeads = Hedgerow.SHAPE.kvHeads();

    @Option(
            names = "--context",
            paramLabel = "T",
            description = "Tokens per sequence (default: ${DEFAULT-VALUE}).")
    private int context = Hedgerow.SHAPE.context();

    @Option(
            names = "--batch",
            paramLabel = "N",
            description = "Sequences per step (default: ${DEFAULT-VALUE}).")
    private int batch = Hedgerow.SEQUENCES_PER_STEP;

    @Option(
            names = "--steps",
            paramLabel = "N",
            description = "Optimiser steps (default: " + Hedgerow.STEPS + ").")
    private @Nullable Integer steps;

    @Option(
            names = "--minutes",
            paramLabel = "M",
            description = "Length of the training, instead of --steps.")
    private @Nullable Double minutes;

    @Option(
            names = "--learning-rate",
            paramLabel = "X",
            description = "Learning rate after the warm-up (default: ${DEFAULT-VALUE}).")
    private double learningRate = Hedgerow.PEAK_LEARNING_RATE;

    @Option(
            names = "--warm-up",
            paramLabel = "N",
            description = "Steps of warm-up (default: ${DEFAULT-VALUE}).")
    private int warmUp = Hedgerow.WARM_UP_STEPS;

    @Option(
            names = "--weight-decay",
            paramLabel = "X",
            description = "Weight decay (default: ${DEFAULT-VALUE}).")
    private double weightDecay = Hedgerow.WEIGHT_DECAY;

    @Option(
            names = "--clip",
            paramLabel = "X",
            description = "Largest norm of a gradient (default: ${DEFAULT-VALUE}).")
    private double clip = Hedgerow.GRADIENT_NORM;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description =
                    "Seed of the weights and of the order of the data (default: ${DEFAULT-VALUE}).")
    private long seed = Hedgerow.SEED;

    @Mixin private final CommonOptions common = new CommonOptions();

    TrainCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        TrainingSettings settings = settings();
        NativeCache.prepare();
        TrainRun.Result result = TrainRun.run(settings, out, console.progress());
        if (common.json()) {
            Map<String, Object> json = new LinkedHashMap<>();
            json.put("folder", result.folder().toString());
            json.put("steps", result.steps());
            json.put("heldOutLoss", result.heldOutLoss());
            json.put("perplexity", Math.exp(result.heldOutLoss()));
            json.put("seconds", result.seconds());
            console.json(json);
        } else {
            console.out()
                    .println(
                            Words.format(
                                    "held out    %.4f nats per token, perplexity %.3f",
                                    result.heldOutLoss(), Math.exp(result.heldOutLoss())));
            console.out()
                    .println(
                            "time        "
                                    + LineProgress.duration(result.seconds())
                                    + " for "
                                    + result.steps()
                                    + " steps");
            console.out().println("written     " + out);
        }
        return 0;
    }

    private TrainingSettings settings() {
        return new TrainingSettings(
                name == null
                        ? String.valueOf(out.toAbsolutePath().normalize().getFileName())
                        : name,
                new ModelShape(vocabulary, hidden, intermediate, blocks, heads, kvHeads, context),
                trainingText(),
                batch,
                Hedgerow.SEQUENCES_PER_PASS,
                length(),
                learningRate,
                warmUp,
                weightDecay,
                clip,
                Hedgerow.HELD_OUT_EVERY,
                Hedgerow.HELD_OUT_SEQUENCES,
                Hedgerow.CHECKPOINT_EVERY,
                seed,
                common.threads());
    }

    private TrainingText trainingText() {
        return text == null
                ? new TrainingText.Stories(
                        storySeed, stories, Hedgerow.HELD_OUT_STORIES, Hedgerow.CALIBRATION_STORIES)
                : TrainingText.OwnText.read(text);
    }

    private TrainingLength length() {
        Integer count = steps;
        Double budget = minutes;
        if (budget == null) {
            return new TrainingLength.Steps(count == null ? Hedgerow.STEPS : count);
        }
        if (count != null) {
            throw new UserError("--steps and --minutes exclude each other; give one of them");
        }
        return new TrainingLength.Minutes(budget);
    }
}
