package org.espalier.cli;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.espalier.audit.language.Evaluation;
import org.espalier.audit.language.ReadingMemory;
import org.espalier.audit.language.ReadingPlan;
import org.espalier.audit.receipt.Checksum;
import org.espalier.audit.receipt.FileEntry;
import org.espalier.audit.receipt.LayerEntry;
import org.espalier.audit.receipt.Quality;
import org.espalier.audit.receipt.Receipt;
import org.espalier.audit.receipt.ReceiptFile;
import org.espalier.audit.receipt.RecipeForm;
import org.espalier.audit.report.Report;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.CheckpointWriter;
import org.espalier.checkpoint.DType;
import org.espalier.checkpoint.TensorInfo;
import org.espalier.checkpoint.gguf.Imatrix;
import org.espalier.checkpoint.gguf.Models;
import org.espalier.core.UserError;
import org.espalier.core.progress.Progress;
import org.espalier.core.recipe.Recipe;
import org.espalier.network.Decoder;
import org.espalier.network.text.TextSource;
import org.espalier.prune.EarlierWork;
import org.espalier.prune.LayerOutcome;
import org.espalier.prune.PruneOutcome;
import org.espalier.prune.PrunePlan;
import org.espalier.prune.Pruner;
import org.espalier.prune.calibrate.Calibration;
import org.espalier.prune.calibrate.GivenStatistics;
import org.espalier.prune.calibrate.Thrift;
import org.espalier.prune.memory.MemoryPlan;
import org.espalier.prune.resume.CheckpointSink;
import org.espalier.prune.resume.PruneJournal;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/**
 * The main job, from the open checkpoint to the receipt. Everything that can be refused is refused before the first
 * block; the folder appears under its name when all of it is there.
 */
final class PruneJob {
    private static final int SAMPLE_TOKENS = 60;

    /** The hidden states of the calibration tokens, where they do not fit into the memory. */
    private static final String SCRATCH = "hidden-states.scratch";

    private static final String GRAM_SCRATCH = "gram.scratch";

    /** Those of the dense model, while the models are measured. */
    private static final String DENSE_SCRATCH = "hidden-states-dense.scratch";

    private final PruneRequest request;
    private final CommonOptions common;
    private final Progress progress;
    private final Stopwatch stopwatch = new Stopwatch();

    /**
     * What came out.
     *
     * @param folder where it lies
     * @param report the page for people
     * @param receipt the account
     */
    record Result(String folder, String report, Receipt receipt) {}

    PruneJob(PruneRequest request, CommonOptions common, Progress progress) {
        this.request = request;
        this.common = common;
        this.progress = progress;
    }

    Result run() {
        DType dtype = request.dtype().equals("auto") ? null : DType.ofConfigName(request.dtype());
        try (OpenModel dense = OpenModel.open(request.source())) {
            PrunePlan plan = PrunePlan.of(request.method(), dense.decoder());
            requireCalibration();
            common.applyThreads();
            MeasureText measure = measureText(dense);
            GivenStatistics given = imatrix();
            TextSource.@Nullable Sample sample = given == null ? calibration(dense) : null;
            MemoryPlan memory = memory(dense, sample, dtype);
            ReadingPlan reading = measure == null ? null : reading(dense, measure);
            try (CheckpointWriter writer =
                    CheckpointWriter.open(dense.checkpoint(), request.out(), dtype)) {
                List<FileEntry> sources =
                        FileEntry.of(
                                Models.folder(request.source()),
                                dense.checkpoint().files().keySet());
                Receipt.CalibrationEntry calibration = calibrationEntry(sample);
                ObjectNode fingerprint =
                        RunFingerprint.of(
                                request,
                                common.threads(),
                                dense.name(),
                                sources,
                                calibration,
                                sample,
                                measure);
                try (PruneJournal journal =
                                PruneJournal.open(
                                        writer,
                                        fingerprint,
                                        request.restart(),
                                        stopwatch::seconds);
                        Interruption interruption =
                                Interruption.watch(journal, dense.decoder().blocks(), progress)) {
                    stopwatch.addEarlier(journal.earlierSeconds());
                    CheckpointSink sink =
                            new CheckpointSink(writer, journal, plan, dense.decoder());
                    try {
                        Thrift thrift =
                                memory.thrift(writer.note(SCRATCH), writer.note(GRAM_SCRATCH));
                        PruneOutcome outcome = prune(dense, plan, sample, given, sink, thrift);
                        Path sealed = writer.seal();
                        stopwatch.lap("write");
                        Quality quality =
                                measure == null || reading == null
                                        ? null
                                        : measure(dense, sealed, measure, reading, writer);
                        Receipt receipt =
                                receipt(dense, sources, calibration, outcome, sealed, quality);
                        return finish(writer, receipt);
                    } catch (UserError e) {
                        throw interruption.explain(e);
                    }
                }
            }
        }
    }

    private Result finish(CheckpointWriter writer, Receipt receipt) {
        String text = ReceiptFile.text(receipt);
        writer.addFile(ReceiptFile.NAME, text.getBytes(StandardCharsets.UTF_8));
        String page = Report.html(ReceiptFile.parse(text));
        writer.addFile(Report.NAME, page.getBytes(StandardCharsets.UTF_8));
        writer.commit();
        return new Result(
                request.out().toString(), request.out().resolve(Report.NAME).toString(), receipt);
    }

    /** Chooses how to stay within the memory; what cannot fit is refused. */
    private MemoryPlan memory(
            OpenModel dense, TextSource.@Nullable Sample sample, @Nullable DType dtype) {
        List<Integer> lengths =
                sample == null
                        ? List.of()
                        : sample.sequences().stream().map(ids -> ids.length).toList();
        DType stored = dtype == null ? dense.checkpoint().dominantDtype() : dtype;
        MemoryPlan memory =
                request.memory()
                        .plan(
                                MemoryBudget.model(
                                        request.method(),
                                        dense.decoder(),
                                        lengths,
                                        stored.bits() / 8));
        if (!memory.measures().isEmpty()) {
            progress.note("to spare memory: " + String.join(", ", memory.measures()));
        }
        return memory;
    }

    private void requireCalibration() {
        if (request.method().readsData() && request.calibration() == null) {
            throw new UserError(
                    "recipe "
                            + request.method().recipe().name()
                            + " measures the model on text and "
                            + request.source()
                            + " has none: give a .txt or .jsonl file with --calibration");
        }
    }

    private @Nullable MeasureText measureText(OpenModel dense) {
        Path text = request.text();
        return text == null
                ? null
                : MeasureText.of(
                        dense, text, request.window(), request.stride(), request.windows());
    }

    /** The importance matrix, where the calibration is one and the method reads it. */
    private @Nullable GivenStatistics imatrix() {
        Path file = request.calibration();
        if (file == null || !Imatrix.isNamed(file) || !request.method().readsData()) {
            return null;
        }
        if (request.samples() != null || request.sequenceLength() != null) {
            throw new UserError(
                    file
                            + " is an importance matrix, of which nothing is drawn: leave out --samples and"
                            + " --sequence-length");
        }
        GivenStatistics.require(request.method().recipe().name(), request.method().statistics());
        return new GivenStatistics(Imatrix.open(file));
    }

    private TextSource.@Nullable Sample calibration(OpenModel dense) {
        Path file = request.calibration();
        if (file == null || !request.method().readsData()) {
            return null;
        }
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
        TextSource.Sample sample =
                TextSource.read(file)
                        .sample(
                                dense.encoder(),
                                dense.vocabulary(),
                                new TextSource.Draw(
                                        samples == null ? defaults.samples() : samples,
                                        samples != null,
                                        length == null ? defaults.sequenceLength() : length,
                                        dense.positions(),
                                        request.seed()));
        sample.notes().forEach(progress::note);
        return sample;
    }

    private PruneOutcome prune(
            OpenModel dense,
            PrunePlan plan,
            TextSource.@Nullable Sample sample,
            @Nullable GivenStatistics given,
            CheckpointSink sink,
            Thrift thrift) {
        EarlierWork earlier = sink.takeUp();
        int finished = earlier.blocks().size();
        if (finished > 0) {
            progress.note(
                    "resuming after block "
                            + finished
                            + " of "
                            + dense.decoder().blocks()
                            + ", which an interrupted run has finished");
        }
        stopwatch.lap("open");
        Calibration calibration =
                sample == null ? Calibration.NONE : new Calibration(sample.sequences());
        Decoder network = dense.decoder();
        Pruner pruner =
                given == null
                        ? new Pruner(plan, network, calibration, sink::storage, progress, thrift)
                        : new Pruner(plan, network, given, sink::storage, progress, thrift);
        PruneOutcome outcome = pruner.run(sink, earlier);
        stopwatch.lap("prune");
        if (request.method().readsData()) {
            LayerLedger.unreached(outcome.layers()).ifPresent(progress::note);
        }
        return outcome;
    }

    /** Both models read the text side by side; they have the same shapes. */
    private ReadingPlan reading(OpenModel dense, MeasureText measure) {
        ReadingMemory.Network network = ReadingMemory.Network.of(dense.decoder());
        return request.memory()
                .plan(
                        ReadingMemory.of(List.of(network, network), measure.windows()),
                        "leave --text out");
    }

    private Quality measure(
            OpenModel dense,
            Path sealed,
            MeasureText measure,
            ReadingPlan reading,
            CheckpointWriter writer) {
        try (OpenModel pruned = OpenModel.open(sealed)) {
            Evaluation evaluation =
                    Evaluation.against(
                            pruned.language(reading.thrift(writer.note(SCRATCH))),
                            dense.language(reading.thrift(writer.note(DENSE_SCRATCH))),
                            measure.windows(),
                            progress);
            Quality quality =
                    new Quality(
                            measure.protocol(),
                            Objects.requireNonNull(evaluation.reference()),
                            evaluation.perplexity(),
                            Objects.requireNonNull(evaluation.divergence()),
                            samples(dense, pruned, measure));
            stopwatch.lap("measure");
            return quality;
        }
    }

    private List<Quality.Sample> samples(OpenModel dense, OpenModel pruned, MeasureText measure) {
        if (!dense.checkpoint().hasTokenizer()) {
            return List.of();
        }
        String prompt = request.prompt();
        if (prompt == null) {
            prompt = measure.source() instanceof TextSource.Words words ? firstWords(words) : "";
        }
        if (prompt.isBlank()
                || !request.memory()
                        .allowsGenerator(
                                dense.decoder().config(), dense.decoder().linears(), progress)) {
            return List.of();
        }
        return List.of(
                new Quality.Sample(
                        prompt,
                        dense.continuation(prompt, SAMPLE_TOKENS),
                        pruned.continuation(prompt, SAMPLE_TOKENS)));
    }

    /** The first few words of the text that the models are measured on. */
    private static String firstWords(TextSource.Words words) {
        String[] parts = words.documents().getFirst().strip().split("\\s+", 7);
        return String.join(" ", List.of(parts).subList(0, Math.min(6, parts.length)));
    }

    private Receipt receipt(
            OpenModel dense,
            List<FileEntry> sources,
            Receipt.@Nullable CalibrationEntry calibration,
            PruneOutcome outcome,
            Path sealed,
            @Nullable Quality quality) {
        List<LayerEntry> layers = outcome.layers().stream().map(LayerLedger::entry).toList();
        List<FileEntry> files = FileEntry.below(sealed, Set.of(ReceiptFile.NAME, Report.NAME));
        Map<String, Object> recipe = RecipeForm.of(request.method().recipe());
        Receipt.Totals totals = totals(dense.checkpoint(), outcome, sealed);
        stopwatch.lap("account");
        return new Receipt(
                Receipt.FORMAT,
                Espalier.version(),
                new Receipt.Source(
                        dense.name(),
                        dense.decoder().family().modelType(),
                        List.copyOf(dense.checkpoint().bytesByType().keySet()),
                        sources),
                recipe,
                calibration,
                request.seed(),
                common.threads(),
                request.dtype(),
                totals,
                layers,
                outcome.blocks().stream()
                        .map(block -> new Receipt.BlockEntry(block.block(), block.outputError()))
                        .toList(),
                quality,
                files,
                stopwatch.run(
                        request.command(),
                        outcome.layers().stream().map(LayerOutcome::seconds).toList()),
                "");
    }

    private Receipt.@Nullable CalibrationEntry calibrationEntry(
            TextSource.@Nullable Sample sample) {
        Path file = request.calibration();
        if (file == null || !request.method().readsData()) {
            return null;
        }
        if (sample == null) {
            return new Receipt.CalibrationEntry(
                    String.valueOf(file.getFileName()),
                    Checksum.of(file),
                    0,
                    0,
                    0,
                    List.of("Column norms that llama.cpp has measured on the dense model."));
        }
        return new Receipt.CalibrationEntry(
                String.valueOf(file.getFileName()),
                Checksum.of(file),
                sample.sequences().size(),
                sample.sequences().stream().mapToInt(ids -> ids.length).max().orElse(0),
                sample.tokens(),
                sample.notes());
    }

    private static List<Path> weightFiles(Path sealed) {
        try (Checkpoint checkpoint = Checkpoint.open(sealed)) {
            return checkpoint.weightFiles();
        }
    }

    private static Receipt.Totals totals(Checkpoint dense, PruneOutcome outcome, Path sealed) {
        long parameters = dense.tensors().values().stream().mapToLong(TensorInfo::elements).sum();
        List<Path> before = dense.weightFiles();
        List<Path> after = weightFiles(sealed);
        return new Receipt.Totals(
                parameters,
                outcome.prunable(),
                outcome.removed(),
                outcome.sparsity(),
                (double) outcome.removed() / parameters,
                Sizes.bytes(before),
                Sizes.bytes(after),
                Sizes.packed(before),
                Sizes.packed(after));
    }
}
