package org.espalier.cli;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.espalier.audit.receipt.FileEntry;
import org.espalier.audit.receipt.Quality;
import org.espalier.audit.receipt.Receipt;
import org.espalier.audit.receipt.ReceiptFile;
import org.espalier.audit.report.Report;
import org.espalier.checkpoint.CheckpointWriter;
import org.espalier.checkpoint.DType;
import org.espalier.checkpoint.gguf.Models;
import org.espalier.core.UserError;
import org.espalier.core.progress.Progress;
import org.espalier.prune.EarlierWork;
import org.espalier.prune.PruneOutcome;
import org.espalier.prune.PrunePlan;
import org.espalier.prune.Pruner;
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
    /** The hidden states of the calibration tokens, where they do not fit into the memory. */
    private static final String STATES_SCRATCH = "hidden-states.scratch";

    /** What left the last finished block, and what leaves the next one, for a run that goes on. */
    private static final String STATES_KEPT = "hidden-states";

    /** The Gram matrices of a block, where they do not. */
    private static final String GRAM_SCRATCH = "gram.scratch";

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
            CalibrationData.require(request);
            common.applyThreads();
            CalibrationData calibration = CalibrationData.read(request, dense, progress);
            MemoryPlan memory = memory(dense, calibration, dtype);
            QualityMeasurement measurement = QualityMeasurement.of(request, dense, progress);
            if (calibration.sample() == null) {
                dense.checkpoint().tokenizerNotes().forEach(progress::note);
            }
            try (CheckpointWriter writer =
                    CheckpointWriter.open(dense.checkpoint(), request.out(), dtype)) {
                // A refusal is one line: what is to be known of the model is said when there is
                // none.
                ModelNotes.odd(dense)
                        .forEach(note -> progress.note(request.source() + ": " + note));
                ModelNotes.tellLeftOut(dense, progress);
                dense.decoder().redundant().forEach(writer::omit);
                PruneAccount account =
                        new PruneAccount(
                                request,
                                common.threads(),
                                dense,
                                FileEntry.of(
                                        Models.folder(request.source()),
                                        dense.checkpoint().files().keySet()),
                                calibration.entry(),
                                stopwatch);
                ObjectNode fingerprint = fingerprint(account, calibration, measurement);
                try (PruneJournal journal =
                                PruneJournal.open(
                                        writer,
                                        fingerprint,
                                        request.restart(),
                                        stopwatch::seconds);
                        Interruption interruption =
                                Interruption.watch(journal, dense.decoder().blocks(), progress)) {
                    stopwatch.addEarlier(journal.earlierSeconds());
                    if (journal.finishedBlocks() == 0) {
                        DiskRoom.require(
                                writer.note(""),
                                request.out(),
                                writer.bytes() + memory.scratchBytes() - memory.optionalBytes());
                    }
                    CheckpointSink sink =
                            new CheckpointSink(writer, journal, plan, dense.decoder());
                    try {
                        Thrift thrift =
                                memory.thrift(
                                        writer.note(STATES_SCRATCH),
                                        writer.note(GRAM_SCRATCH),
                                        writer.note(STATES_KEPT));
                        PruneOutcome outcome =
                                prune(
                                        calibration.pruner(plan, dense, sink, progress, thrift),
                                        sink,
                                        dense.decoder().blocks());
                        Path sealed = writer.seal();
                        stopwatch.lap("write");
                        Quality quality = null;
                        if (measurement != null) {
                            quality = measurement.measure(sealed, writer::note, progress);
                            stopwatch.lap("measure");
                        }
                        return finish(writer, account.receipt(plan, outcome, sealed, quality));
                    } catch (UserError e) {
                        throw interruption.explain(e);
                    }
                }
            }
        }
    }

    /** Chooses how to stay within the memory; what cannot fit is refused. */
    private MemoryPlan memory(OpenModel dense, CalibrationData calibration, @Nullable DType dtype) {
        DType stored = dtype == null ? dense.checkpoint().dominantDtype() : dtype;
        MemoryPlan memory =
                request.memory()
                        .plan(
                                MemoryBudget.model(
                                        request.method(),
                                        dense.decoder(),
                                        calibration.lengths(),
                                        stored.bits() / 8));
        if (!memory.measures().isEmpty()) {
            progress.note("to spare memory: " + String.join(", ", memory.measures()));
        }
        return memory;
    }

    private ObjectNode fingerprint(
            PruneAccount account,
            CalibrationData calibration,
            @Nullable QualityMeasurement measurement) {
        return RunFingerprint.of(
                request,
                common.threads(),
                account.dense().name(),
                account.sources(),
                account.calibration(),
                calibration.sample(),
                measurement == null ? null : measurement.text());
    }

    /** Prunes what an interrupted run has left. */
    private PruneOutcome prune(Pruner pruner, CheckpointSink sink, int blocks) {
        EarlierWork earlier = sink.takeUp();
        int finished = earlier.blocks().size();
        if (finished > 0) {
            progress.note(
                    "resuming after block "
                            + finished
                            + " of "
                            + blocks
                            + ", which an interrupted run has finished");
        }
        stopwatch.lap("open");
        PruneOutcome outcome = pruner.run(sink, earlier);
        stopwatch.lap("prune");
        if (request.method().readsData()) {
            LayerLedger.unreached(outcome.layers()).ifPresent(progress::note);
        }
        return outcome;
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
}
