package org.espalier.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.espalier.audit.receipt.FileEntry;
import org.espalier.audit.receipt.LayerEntry;
import org.espalier.audit.receipt.Quality;
import org.espalier.audit.receipt.Receipt;
import org.espalier.audit.receipt.ReceiptFile;
import org.espalier.audit.receipt.RecipeForm;
import org.espalier.audit.report.Report;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.core.pattern.Pattern;
import org.espalier.network.Linear;
import org.espalier.prune.LayerOutcome;
import org.espalier.prune.PruneOutcome;
import org.espalier.prune.PrunePlan;
import org.jspecify.annotations.Nullable;

/**
 * Draws up the receipt of a pruning.
 *
 * @param request what was asked for
 * @param threads of the tensor work
 * @param dense the dense model
 * @param sources its files with their checksums
 * @param calibration what the method knew of the inputs, or null
 * @param stopwatch times of the run
 */
record PruneAccount(
        PruneRequest request,
        int threads,
        OpenModel dense,
        List<FileEntry> sources,
        Receipt.@Nullable CalibrationEntry calibration,
        Stopwatch stopwatch) {
    /**
     * Draws it up.
     *
     * @param plan what it was to do
     * @param outcome what it did
     * @param sealed folder of the pruned model, its files complete
     * @param quality what was measured, or null
     */
    Receipt receipt(PrunePlan plan, PruneOutcome outcome, Path sealed, @Nullable Quality quality) {
        Pattern pattern = request.method().recipe().select().pattern();
        List<LayerEntry> layers =
                outcome.layers().stream().map(layer -> LayerLedger.entry(layer, pattern)).toList();
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
                new Receipt.Remainder(
                        ModelNotes.unread(dense.decoder()),
                        dense.checkpoint().leftOut(),
                        ModelNotes.odd(dense)),
                recipe,
                calibration,
                request.seed(),
                threads,
                request.dtype(),
                totals,
                layers,
                plan.dense().stream().map(Linear::name).toList(),
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

    private static List<Path> weightFiles(Path sealed) {
        try (Checkpoint checkpoint = Checkpoint.open(sealed)) {
            return checkpoint.weightFiles();
        }
    }

    private static Receipt.Totals totals(Checkpoint dense, PruneOutcome outcome, Path sealed) {
        long parameters = dense.parameters();
        List<Path> before = dense.weightFiles();
        List<Path> after = weightFiles(sealed);
        return new Receipt.Totals(
                parameters,
                outcome.prunable(),
                outcome.removed(),
                outcome.layers().stream().mapToLong(LayerOutcome::zerosBefore).sum(),
                outcome.layers().stream().mapToLong(LayerOutcome::zeros).sum(),
                outcome.sparsity(),
                (double) outcome.removed() / parameters,
                Sizes.bytes(before),
                Sizes.bytes(after),
                Sizes.packed(before),
                Sizes.packed(after));
    }
}
