package org.espalier.train.model;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.StreamSupport;
import org.bytedeco.javacpp.PointerScope;
import org.espalier.checkpoint.DType;
import org.espalier.checkpoint.DurableFiles;
import org.espalier.checkpoint.Tokenizer;
import org.espalier.core.UserError;
import org.espalier.core.progress.Progress;
import org.espalier.train.tokenizer.BytePairTrainer;
import org.espalier.train.tokenizer.BytePairVocabulary;
import org.espalier.train.tokenizer.TokenizerFiles;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * A whole training: text, tokenizer, steps, checkpoints, and at the end a Hugging Face folder. While it lasts,
 * everything lies in a folder beside the output, named after it with {@code .training}; a run that finds such a folder
 * goes on where its last checkpoint was made and ends with the same weights, to the bit, as one that was never
 * interrupted.
 */
public final class TrainRun {
    /** Stands for the number of steps until the speed is known. */
    private static final int UNPLANNED = Integer.MAX_VALUE;

    /** More passages would not change the merges of a vocabulary of some thousand tokens. */
    private static final long TOKENIZER_PASSAGES = 8192;

    private static final double SECONDS_PER_MINUTE = 60;

    private final TrainingSettings settings;
    private final Path out;
    private final Path work;
    private final Progress progress;

    /**
     * What came out.
     *
     * @param folder the model folder
     * @param steps optimiser steps
     * @param heldOutLoss mean cross-entropy of held-out text in nats per token
     * @param seconds time spent on steps
     */
    public record Result(Path folder, int steps, double heldOutLoss, double seconds) {}

    private TrainRun(TrainingSettings settings, Path out, Progress progress) {
        this.settings = settings;
        this.out = out;
        this.work = out.resolveSibling(out.getFileName() + ".training");
        this.progress = progress;
    }

    /**
     * Trains, or goes on training, a model.
     *
     * @param out the model folder to make; must not exist
     * @throws UserError when {@code out} exists, an interrupted run had other settings, the text is too short, or the
     *     training diverges
     */
    public static Result run(TrainingSettings settings, Path out, Progress progress) {
        if (Files.exists(out)) {
            throw new UserError(out + " exists already; give another --out, or delete it first");
        }
        try {
            return new TrainRun(settings, out.toAbsolutePath(), progress).run();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Result run() throws IOException {
        Files.createDirectories(work);
        progress.note("learning the tokenizer");
        BytePairVocabulary vocabulary = vocabulary();
        TokenizerFiles.write(vocabulary, work);
        progress.note("encoding the text");
        PackedTokens training = pack(settings.text().training());
        PackedTokens heldOut = pack(List.of(settings.text().heldOut()));
        progress.note(
                String.format(
                        Locale.ROOT,
                        "%,d parameters, %,d training tokens, %,d held out",
                        settings.model().parameterCount(),
                        training.size(),
                        heldOut.size()));
        TrainingCheckpoints checkpoints =
                new TrainingCheckpoints(work.resolve("checkpoint"), settings, vocabulary);
        try (Trainer trainer = new Trainer(settings, training, heldOut)) {
            int planned = checkpoints.resume(trainer).orElse(firstPlan());
            if (trainer.step() > 0) {
                progress.note("going on after step " + trainer.step());
            }
            try (LossCurve curve = LossCurve.open(work.resolve("loss.jsonl"), trainer.step())) {
                train(trainer, checkpoints, curve, planned);
                return finish(trainer, vocabulary, curve.points());
            }
        }
    }

    private BytePairVocabulary vocabulary() {
        int wanted = settings.model().vocabulary();
        BytePairVocabulary vocabulary =
                BytePairTrainer.train(
                        limited(settings.text().training(), TOKENIZER_PASSAGES), wanted);
        if (vocabulary.size() != wanted) {
            throw new UserError(
                    "the text yields only "
                            + vocabulary.size()
                            + " tokens but the model has "
                            + wanted
                            + "; lower the vocabulary or give more text");
        }
        return vocabulary;
    }

    private static Iterable<String> limited(Iterable<String> passages, long count) {
        return () -> StreamSupport.stream(passages.spliterator(), false).limit(count).iterator();
    }

    private PackedTokens pack(Iterable<String> passages) {
        try (Tokenizer tokenizer = Tokenizer.fromFolder(work)) {
            return new PackedTokens(
                    TextPacker.pack(tokenizer, passages),
                    settings.model().context(),
                    settings.seed());
        }
    }

    private int firstPlan() {
        return switch (settings.length()) {
            case TrainingLength.Steps steps -> steps.count();
            case TrainingLength.Minutes minutes -> UNPLANNED;
        };
    }

    private void train(
            Trainer trainer, TrainingCheckpoints checkpoints, LossCurve curve, int firstPlan) {
        int planned = firstPlan;
        while (trainer.step() < planned) {
            long start = System.nanoTime();
            LearningRate schedule =
                    new LearningRate(settings.peakLearningRate(), settings.warmUpSteps(), planned);
            double rate = schedule.at(trainer.step() + 1);
            Trainer.StepResult result = trainer.advance(rate);
            int step = result.step();
            if (planned == UNPLANNED && step == settings.warmUpSteps()) {
                planned = plan(curve.seconds());
            }
            boolean measured = step % settings.heldOutEvery() == 0 || step == planned;
            Double heldOut = measured ? trainer.heldOutLoss() : null;
            double seconds = curve.seconds() + (System.nanoTime() - start) * 1e-9;
            curve.add(
                    new LossCurve.Point(
                            step,
                            step * settings.tokensPerStep(),
                            result.loss(),
                            heldOut,
                            rate,
                            seconds));
            if (step % settings.checkpointEvery() == 0 || step == planned) {
                checkpoints.save(trainer, planned);
            }
            report(curve, planned);
        }
    }

    /** How many steps fit into the time, going by the speed of the warm-up. */
    private int plan(double warmUpSeconds) {
        if (!(settings.length() instanceof TrainingLength.Minutes minutes)) {
            throw new IllegalStateException("steps are planned from the start");
        }
        int warmUp = settings.warmUpSteps();
        double perStep = warmUpSeconds / Math.max(1, warmUp - 1);
        int planned = (int) Math.max(warmUp, minutes.count() * SECONDS_PER_MINUTE / perStep);
        progress.note(planned + " steps fit into " + minutes.count() + " minutes");
        return planned;
    }

    private void report(LossCurve curve, int planned) {
        LossCurve.Point point = curve.points().getLast();
        if (planned != UNPLANNED) {
            progress.step("training step", point.step(), planned);
        }
        Double heldOut = point.heldOut();
        if (heldOut != null) {
            progress.note(
                    String.format(
                            Locale.ROOT,
                            "step %d: loss %.4f, held out %.4f, %.0f tokens/s",
                            point.step(),
                            point.loss(),
                            heldOut,
                            point.tokens() / point.seconds()));
        }
    }

    private Result finish(
            Trainer trainer, BytePairVocabulary vocabulary, List<LossCurve.Point> points)
            throws IOException {
        LossCurve.Point last = points.getLast();
        double heldOut = Objects.requireNonNull(last.heldOut(), "measured after the last step");
        Path partial = out.resolveSibling(out.getFileName() + ".partial");
        DurableFiles.removeAll(partial);
        Files.createDirectories(partial);
        try (PointerScope scope = new PointerScope()) {
            ModelFolder.write(partial, settings.model(), vocabulary, trainer.tensors(), DType.BF16);
        }
        DurableFiles.write(partial.resolve("held-out.txt"), settings.text().heldOut() + "\n");
        DurableFiles.write(
                partial.resolve("calibration.txt"), settings.text().calibration() + "\n");
        ObjectNode provenance = JsonMapper.shared().createObjectNode();
        provenance.set("settings", Fingerprint.of(settings));
        provenance
                .put("steps", last.step())
                .put("tokens", last.tokens())
                .put("parameters", settings.model().parameterCount())
                .put("heldOutLoss", heldOut);
        ModelFolder.writeJson(partial.resolve("training.json"), provenance);
        Files.copy(work.resolve("loss.jsonl"), partial.resolve("loss.jsonl"));
        DurableFiles.write(
                partial.resolve("loss.html"), LossPlot.html(settings.name() + ": loss", points));
        DurableFiles.write(partial.resolve("README.md"), ModelCard.of(settings, last, heldOut));
        DurableFiles.rename(partial, out);
        DurableFiles.removeAll(work);
        return new Result(out, last.step(), heldOut, last.seconds());
    }
}
