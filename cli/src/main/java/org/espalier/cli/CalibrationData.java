package org.espalier.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.espalier.audit.receipt.Checksum;
import org.espalier.audit.receipt.Receipt;
import org.espalier.checkpoint.gguf.Imatrix;
import org.espalier.core.UserError;
import org.espalier.core.progress.Progress;
import org.espalier.core.recipe.Recipe;
import org.espalier.network.text.Origin;
import org.espalier.network.text.TextSource;
import org.espalier.prune.PrunePlan;
import org.espalier.prune.Pruner;
import org.espalier.prune.calibrate.Calibration;
import org.espalier.prune.calibrate.GivenStatistics;
import org.espalier.prune.calibrate.Thrift;
import org.espalier.prune.resume.CheckpointSink;
import org.jspecify.annotations.Nullable;

/**
 * What a method knows of the inputs of a model: sequences drawn from a text, an importance matrix, or nothing, where it
 * reads no data.
 *
 * @param file what was read, or null
 * @param origin where the text came from, or null
 * @param sample what was drawn from the text, or null
 * @param given the importance matrix, or null
 */
record CalibrationData(
        @Nullable Path file,
        @Nullable Origin origin,
        TextSource.@Nullable Sample sample,
        @Nullable GivenStatistics given) {
    /** Refuses a method that reads data where there is none. */
    static void require(PruneRequest request) {
        TextInputs.requireOneStandardInput(request.calibration(), request.text());
        if (request.method().readsData() && request.calibration() == null) {
            throw new UserError(
                    "recipe "
                            + request.method().recipe().name()
                            + " measures the model on text and "
                            + request.source()
                            + " has none: give a .txt or .jsonl file with --calibration");
        }
    }

    /** Reads what the request names, if the method reads data. */
    static CalibrationData read(PruneRequest request, OpenModel dense, Progress progress) {
        Path file = request.calibration();
        if (file == null || !request.method().readsData()) {
            if (file != null && !isOwn(request, file)) {
                progress.note(
                        "recipe "
                                + request.method().recipe().name()
                                + " reads no calibration data: "
                                + file
                                + " is left unread");
            }
            return new CalibrationData(null, null, null, null);
        }
        if (Imatrix.isOne(file)) {
            return new CalibrationData(file, null, null, imatrix(request, file, dense));
        }
        TextSource source = TextInputs.read(file, progress);
        TextSource.Sample sample =
                draw(request, source, dense)
                        .with(dense.checkpoint().tokenizerNotes())
                        .with(DoubledBeginning.notes(dense.checkpoint(), source));
        sample.notes().forEach(progress::note);
        return new CalibrationData(file, source.origin(), sample, null);
    }

    /** Whether nobody named the text: it lies beside the model. */
    private static boolean isOwn(PruneRequest request, Path file) {
        return ModelTexts.calibration(request.source()).filter(file::equals).isPresent();
    }

    private static GivenStatistics imatrix(PruneRequest request, Path file, OpenModel dense) {
        if (request.samples() != null || request.sequenceLength() != null) {
            throw new UserError(
                    file
                            + " is an importance matrix, of which nothing is drawn: leave out --samples and"
                            + " --sequence-length");
        }
        GivenStatistics.require(request.method().recipe().name(), request.method().statistics());
        GivenStatistics given = new GivenStatistics(Imatrix.open(file));
        given.requireAll(dense.decoder().linears());
        return given;
    }

    private static TextSource.Sample draw(
            PruneRequest request, TextSource source, OpenModel dense) {
        Recipe.CalibrationDefaults defaults = request.method().recipe().calibration();
        Integer samples = request.samples();
        Integer length = request.sequenceLength();
        if (samples != null && samples < 1) {
            throw new UserError("--samples must be at least 1 but is " + samples);
        }
        if (length != null && (length < 1 || length > dense.positions())) {
            throw new UserError(
                    "--sequence-length must be from 1 to the model's "
                            + dense.positions()
                            + " positions but is "
                            + length);
        }
        return source.sample(
                dense.encoder(),
                dense.vocabulary(),
                new TextSource.Draw(
                        samples == null ? defaults.samples() : samples,
                        samples != null,
                        length == null ? defaults.sequenceLength() : length,
                        dense.positions(),
                        request.seed()));
    }

    /** Lengths of the sequences in tokens; none where none are run. */
    List<Integer> lengths() {
        return sample == null
                ? List.of()
                : sample.sequences().stream().map(ids -> ids.length).toList();
    }

    /** The pruner that goes by it. */
    Pruner pruner(
            PrunePlan plan,
            OpenModel dense,
            CheckpointSink sink,
            Progress progress,
            Thrift thrift) {
        if (given != null) {
            return new Pruner(plan, dense.decoder(), given, sink::storage, progress, thrift);
        }
        Calibration calibration =
                sample == null ? Calibration.NONE : new Calibration(sample.sequences());
        return new Pruner(plan, dense.decoder(), calibration, sink::storage, progress, thrift);
    }

    /** What the receipt says about it. */
    Receipt.@Nullable CalibrationEntry entry() {
        if (file == null) {
            return null;
        }
        if (sample == null || origin == null) {
            return new Receipt.CalibrationEntry(
                    String.valueOf(file.getFileName()),
                    Checksum.of(file),
                    null,
                    0,
                    0,
                    0,
                    List.of("Column norms that llama.cpp has measured on the dense model."));
        }
        return new Receipt.CalibrationEntry(
                origin.name(),
                origin.sha256(),
                origin.bytesRead(),
                sample.sequences().size(),
                sample.sequences().stream().mapToInt(ids -> ids.length).max().orElse(0),
                sample.tokens(),
                Stream.concat(origin.notes().stream(), sample.notes().stream()).toList());
    }
}
