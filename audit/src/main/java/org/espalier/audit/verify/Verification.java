package org.espalier.audit.verify;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.espalier.audit.receipt.LayerEntry;
import org.espalier.audit.receipt.Receipt;
import org.espalier.audit.receipt.ReceiptFile;
import org.espalier.audit.report.Report;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.IoFailure;
import org.espalier.checkpoint.gguf.Models;
import org.espalier.core.progress.Progress;
import org.jspecify.annotations.Nullable;

/**
 * Derives again what a receipt claims: the files of the folder, the report, the zeros and groups of every pruned matrix,
 * the sums, and, where the dense model is at hand, that nothing else was touched. What it cannot derive it names.
 */
public final class Verification {
    private final Path folder;
    private final Receipt receipt;
    private final Progress progress;
    private final List<String> differences = new ArrayList<>();
    private final List<String> added = new ArrayList<>();
    private final List<String> checked = new ArrayList<>();
    private final List<String> unchecked = new ArrayList<>();

    private Verification(Path folder, Receipt receipt, Progress progress) {
        this.folder = folder;
        this.receipt = receipt;
        this.progress = progress;
    }

    /**
     * Checks a folder.
     *
     * @param folder what {@code prune} wrote
     * @param source the dense model, or null if it is not at hand
     * @throws org.espalier.core.UserError if the folder has no receipt, or one that was changed
     */
    public static Findings of(Path folder, @Nullable Path source, Progress progress) {
        Verification verification = new Verification(folder, ReceiptFile.read(folder), progress);
        verification.check(source);
        return new Findings(
                verification.differences,
                verification.added,
                verification.checked,
                verification.unchecked);
    }

    private void check(@Nullable Path source) {
        differences.addAll(
                FolderCheck.holds(
                        folder, receipt.files(), Set.of(ReceiptFile.NAME, Report.NAME), added));
        checkReport();
        if (!differences.isEmpty()) {
            return;
        }
        checkWeights();
        if (source == null) {
            unchecked.add(
                    "that all other weights are those of the dense model: give it with --source");
        } else {
            checkSource(source);
        }
        boolean measured = receipt.layers().stream().anyMatch(layer -> layer.inputTokens() > 0);
        unchecked.add(
                "the errors of the matrices"
                        + (measured ? " and blocks" : "")
                        + ": they come with pruning the dense model again");
    }

    private void checkReport() {
        Path file = folder.resolve(Report.NAME);
        try {
            byte[] expected = Report.html(receipt).getBytes(StandardCharsets.UTF_8);
            if (!Files.isRegularFile(file)) {
                differences.add(file + " is missing");
            } else if (!Arrays.equals(Files.readAllBytes(file), expected)) {
                differences.add(file + " was changed: it is not the page that the receipt gives");
            }
        } catch (IOException e) {
            throw IoFailure.reading(file, e);
        }
    }

    private void checkWeights() {
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            int done = 0;
            for (LayerEntry layer : receipt.layers()) {
                progress.step("checking matrix", done++, receipt.layers().size());
                MatrixCheck.of(checkpoint, layer).ifPresent(differences::add);
                if (!fits(layer.pattern())) {
                    differences.add(
                            layer.name()
                                    + " was pruned as "
                                    + layer.pattern()
                                    + " but the recipe says "
                                    + pattern());
                }
            }
            progress.step("checking matrix", done, Math.max(1, done));
        }
        checkTotals();
    }

    private void checkTotals() {
        Receipt.Totals totals = receipt.totals();
        long removed = 0;
        long before = 0;
        long zeros = 0;
        long size = 0;
        for (LayerEntry layer : receipt.layers()) {
            removed += layer.removed();
            before += layer.zerosBefore();
            zeros += layer.zeros();
            size += layer.size();
        }
        if (removed != totals.removed()
                || before != totals.zerosBefore()
                || zeros != totals.zeros()
                || size != totals.prunable()
                || totals.sparsity() != (double) removed / size
                || totals.sparsityOfModel() != (double) removed / totals.parameters()) {
            differences.add(folder + ": the totals are not the sums of the layers");
        }
    }

    /** Whether a matrix may have this pattern: that of the recipe, or another N of the same M where they are mixed. */
    private boolean fits(String pattern) {
        boolean mixed = select().get("mixed") instanceof Boolean yes && yes;
        return pattern.equals(pattern()) || (mixed && beyondN(pattern).equals(beyondN(pattern())));
    }

    private static String beyondN(String pattern) {
        return pattern.substring(pattern.indexOf(':') + 1);
    }

    private String pattern() {
        return String.valueOf(select().getOrDefault("pattern", "unstructured"));
    }

    private Map<String, Object> select() {
        Map<String, Object> select = new HashMap<>();
        if (receipt.recipe().get("select") instanceof Map<?, ?> map) {
            map.forEach((key, value) -> select.put(String.valueOf(key), value));
        }
        return select;
    }

    private void checkSource(Path source) {
        differences.addAll(FolderCheck.contains(Models.folder(source), receipt.source().files()));
        try (Checkpoint dense = Models.open(source);
                Checkpoint pruned = Checkpoint.open(folder)) {
            long parameters = dense.parameters();
            if (parameters != receipt.totals().parameters()) {
                differences.add(
                        source
                                + " has "
                                + parameters
                                + " parameters but the receipt says "
                                + receipt.totals().parameters());
            }
            SourceCheck check = new SourceCheck(receipt, dense, pruned, progress);
            check.run();
            differences.addAll(check.differences());
            checked.addAll(check.checked());
            unchecked.addAll(check.unchecked());
        }
    }
}
