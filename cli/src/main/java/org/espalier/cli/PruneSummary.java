package org.espalier.cli;

import java.io.PrintStream;
import org.espalier.audit.receipt.Quality;
import org.espalier.audit.receipt.Receipt;
import org.espalier.core.progress.LineProgress;
import org.jspecify.annotations.Nullable;

/** What {@code prune} prints when it is done. */
final class PruneSummary {
    private PruneSummary() {}

    static void print(PrintStream out, PruneJob.Result result) {
        Receipt receipt = result.receipt();
        Receipt.Totals totals = receipt.totals();
        line(
                out,
                "model",
                receipt.source().name()
                        + ", "
                        + Words.format("%,d", totals.parameters())
                        + " parameters");
        line(
                out,
                "removed",
                Words.format(
                        "%,d of %,d weights (%s) with %s%s",
                        totals.removed(),
                        totals.prunable(),
                        Words.percent(totals.sparsity()),
                        receipt.recipeName(),
                        totals.zerosBefore() > 0 ? ", counting those that were zero already" : ""));
        zeros(out, totals);
        if (!receipt.leftDense().isEmpty()) {
            line(
                    out,
                    "protected",
                    receipt.leftDense().size()
                            + " matrices left dense, not counted above: "
                            + ModelNotes.shown(receipt.leftDense()));
        }
        MixedPattern.line(receipt).ifPresent(text -> line(out, "pattern", text));
        Quality quality = receipt.quality();
        if (quality == null) {
            line(out, "perplexity", "not measured; give a text with --text");
        } else {
            line(out, "perplexity", Words.perplexity(quality.before()) + "  before");
            line(out, "", Words.perplexity(quality.after()) + "  after");
            line(
                    out,
                    "",
                    Words.percent(quality.divergence().sameTop())
                            + " of the most likely next tokens are the same");
            for (Quality.Sample sample : quality.samples()) {
                line(out, "prompt", oneLine(sample.prompt()));
                line(out, "  before", oneLine(sample.before()));
                line(out, "  after", oneLine(sample.after()));
            }
        }
        line(out, "size", size(totals));
        remainder(out, receipt.remainder());
        line(
                out,
                "time",
                LineProgress.duration(receipt.run().seconds())
                        + " on "
                        + receipt.threads()
                        + (receipt.threads() == 1 ? " thread" : " threads"));
        line(out, "written", result.folder());
        line(out, "report", result.report());
    }

    /** What the receipt says was not used. */
    static void remainder(PrintStream out, Receipt.@Nullable Remainder remainder) {
        if (remainder == null) {
            return;
        }
        if (!remainder.tensors().isEmpty()) {
            line(
                    out,
                    "unused",
                    ModelNotes.shown(remainder.tensors())
                            + ": not read by the network, copied as they are");
        }
        if (!remainder.files().isEmpty()) {
            line(out, "left out", ModelNotes.shown(remainder.files()));
        }
    }

    /** Where the dense model has zeros, what was removed and what is zero are two things. */
    private static void zeros(PrintStream out, Receipt.Totals totals) {
        if (totals.zerosBefore() > 0) {
            line(
                    out,
                    "zero",
                    Words.format(
                            "%,d (%s) now, %,d (%s) before",
                            totals.zeros(),
                            Words.percent((double) totals.zeros() / totals.prunable()),
                            totals.zerosBefore(),
                            Words.percent((double) totals.zerosBefore() / totals.prunable())));
        }
    }

    private static String size(Receipt.Totals totals) {
        String size =
                Words.bytes(totals.bytesBefore())
                        + " before, "
                        + Words.bytes(totals.bytesAfter())
                        + " after";
        Long before = totals.gzipBytesBefore();
        Long after = totals.gzipBytesAfter();
        if (before != null && after != null) {
            size += "; packed with gzip " + Words.bytes(before) + " and " + Words.bytes(after);
        }
        return size + " (zeros take room until a runtime packs them)";
    }

    private static String oneLine(String text) {
        return text.strip().replaceAll("\\s*\\R\\s*", " ");
    }

    private static void line(PrintStream out, String name, String value) {
        out.println(Words.format("%-11s %s", name, value));
    }
}
