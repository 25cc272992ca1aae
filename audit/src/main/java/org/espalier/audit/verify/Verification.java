package org.espalier.audit.verify;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.espalier.audit.receipt.FileEntry;
import org.espalier.audit.receipt.LayerEntry;
import org.espalier.audit.receipt.Receipt;
import org.espalier.audit.receipt.ReceiptFile;
import org.espalier.audit.report.Report;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.IoFailure;
import org.espalier.checkpoint.gguf.Models;
import org.espalier.core.UserError;
import org.espalier.core.progress.Progress;
import org.jspecify.annotations.Nullable;

/**
 * Derives again what a receipt claims: the files of the folder, the report, the zeros and groups of every pruned matrix,
 * and, where the dense model is at hand, that nothing else was touched.
 */
public final class Verification {
    private static final Set<String> ONLY_REMOVING_REPAIRS =
            Set.of("none", "dsnot", "mean-to-bias");

    private final Path folder;
    private final Receipt receipt;
    private final Progress progress;
    private final List<String> differences = new ArrayList<>();

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
     * @return every difference, each in one line; empty if all is as the receipt says
     * @throws UserError if the folder has no receipt, or one that was changed
     */
    public static List<String> differences(Path folder, @Nullable Path source, Progress progress) {
        Verification verification = new Verification(folder, ReceiptFile.read(folder), progress);
        verification.checkFiles(folder, verification.receipt.files(), true);
        verification.checkReport();
        if (verification.differences.isEmpty()) {
            verification.checkWeights();
            if (source != null) {
                verification.checkFiles(
                        Models.folder(source), verification.receipt.source().files(), false);
                verification.checkUntouched(source);
            }
        }
        return List.copyOf(verification.differences);
    }

    private void checkFiles(Path where, List<FileEntry> entries, boolean nothingElse) {
        Set<String> found = nothingElse ? new TreeSet<>(FileEntry.names(where)) : new TreeSet<>();
        found.removeAll(Set.of(ReceiptFile.NAME, Report.NAME));
        for (FileEntry entry : entries) {
            Path file = where.resolve(entry.name());
            if (!Files.isRegularFile(file)) {
                differences.add(file + " is missing");
            } else if (!FileEntry.of(entry.name(), file).equals(entry)) {
                differences.add(file + " was changed: its checksum is not that of the receipt");
            }
            found.remove(entry.name());
        }
        if (nothingElse) {
            found.forEach(name -> differences.add(where.resolve(name) + " was added"));
        }
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
            long removed = 0;
            int done = 0;
            for (LayerEntry layer : receipt.layers()) {
                progress.step("checking matrix", done++, receipt.layers().size());
                MatrixCheck.of(checkpoint, layer, pattern()).ifPresent(differences::add);
                removed += layer.removed();
            }
            progress.step("checking matrix", done, Math.max(1, done));
            Receipt.Totals totals = receipt.totals();
            if (removed != totals.removed()
                    || totals.sparsity() != (double) removed / totals.prunable()) {
                differences.add(folder + ": the totals are not the sums of the layers");
            }
        }
    }

    private String pattern() {
        return receipt.recipe().get("select") instanceof Map<?, ?> select
                ? String.valueOf(select.get("pattern"))
                : "unstructured";
    }

    private void checkUntouched(Path source) {
        boolean sameDtype = receipt.dtype().equals("auto");
        Set<String> weights = new TreeSet<>();
        Set<String> changedBiases = new TreeSet<>();
        for (LayerEntry layer : receipt.layers()) {
            weights.add(layer.name() + ".weight");
            if (layer.biasChanged()) {
                changedBiases.add(layer.name() + ".bias");
            }
        }
        try (Checkpoint dense = Models.open(source);
                Checkpoint pruned = Checkpoint.open(folder)) {
            for (String name : dense.tensors().keySet()) {
                if (!pruned.contains(name)) {
                    differences.add(folder + " lacks the tensor " + name);
                } else if (sameDtype && weights.contains(name) && onlyRemoves()) {
                    MatrixCheck.survivors(dense, pruned, name).ifPresent(differences::add);
                } else if (sameDtype && !weights.contains(name) && !changedBiases.contains(name)) {
                    MatrixCheck.identical(dense, pruned, name).ifPresent(differences::add);
                }
            }
        }
    }

    /** Whether the recipe takes weights away and changes none of the others. */
    private boolean onlyRemoves() {
        return method("solver").equals("mask") && ONLY_REMOVING_REPAIRS.contains(method("repair"));
    }

    /** Method of a part of the recipe, which is a name or a map. */
    private String method(String part) {
        Object value = receipt.recipe().get(part);
        return String.valueOf(value instanceof Map<?, ?> map ? map.get("method") : value);
    }
}
