package org.espalier.audit.report;

import java.util.ArrayList;
import java.util.List;
import org.espalier.audit.language.Divergence;
import org.espalier.audit.receipt.Quality;
import org.espalier.audit.receipt.Receipt;
import org.espalier.core.progress.LineProgress;

/** The figures that people look for first. */
final class Cards {
    private Cards() {}

    static String html(Receipt receipt) {
        List<String> cards = new ArrayList<>();
        Quality quality = receipt.quality();
        if (quality != null) {
            cards.add(perplexity(quality));
            cards.add(divergence(quality.divergence()));
        }
        Receipt.Totals totals = receipt.totals();
        cards.add(
                card(
                        "Weights removed",
                        Html.percent(totals.sparsity()),
                        Html.count(totals.removed())
                                + " of "
                                + Html.count(totals.prunable())
                                + "; "
                                + Html.percent(totals.sparsityOfModel())
                                + " of all parameters"
                                + zeros(totals)));
        cards.add(size(totals));
        cards.add(
                card(
                        "Time",
                        LineProgress.duration(receipt.run().seconds()),
                        "on "
                                + receipt.threads()
                                + (receipt.threads() == 1 ? " thread" : " threads")));
        Long memory = receipt.run().peakMemoryBytes();
        if (memory != null) {
            cards.add(
                    card(
                            "Peak memory",
                            Html.format("%.0f MiB", memory / 1048576.0),
                            "of the whole process"));
        }
        return "<section class=\"cards\" aria-label=\"Summary\">\n"
                + String.join("\n", cards)
                + "\n</section>";
    }

    /** Where the dense model has zeros, what was removed and what is zero are two things. */
    private static String zeros(Receipt.Totals totals) {
        double all = totals.prunable();
        return totals.zerosBefore() == 0
                ? ""
                : "; "
                        + Html.percent(totals.zeros() / all)
                        + " are zero now, "
                        + Html.percent(totals.zerosBefore() / all)
                        + " were before";
    }

    private static String perplexity(Quality quality) {
        String value =
                Html.number(quality.before().value())
                        + " → "
                        + Html.number(quality.after().value());
        Double factor = quality.factor();
        String remark =
                "± "
                        + Html.number(quality.before().standardError())
                        + " and ± "
                        + Html.number(quality.after().standardError())
                        + (factor == null ? "" : "; " + Html.number(factor) + " times");
        return card("Perplexity", value, remark + ", lower is better");
    }

    private static String divergence(Divergence divergence) {
        return card(
                "Same next token",
                Html.percent(divergence.sameTop()),
                "divergence "
                        + Html.number(divergence.mean())
                        + " nats on average, "
                        + Html.number(divergence.percentile99())
                        + " at the 99th percentile");
    }

    private static String size(Receipt.Totals totals) {
        String value = Html.bytes(totals.bytesAfter());
        String before =
                Html.bytes(totals.bytesBefore()).equals(value)
                        ? "as before: zeros take room until a runtime packs them"
                        : "before: " + Html.bytes(totals.bytesBefore());
        Long packedBefore = totals.gzipBytesBefore();
        Long packedAfter = totals.gzipBytesAfter();
        if (packedBefore != null && packedAfter != null) {
            before +=
                    "; gzip packs "
                            + Html.bytes(packedAfter)
                            + " instead of "
                            + Html.bytes(packedBefore);
        }
        return card("Weight files", value, before);
    }

    private static String card(String name, String value, String remark) {
        return "<div class=\"card\"><h2>%s</h2><p class=\"value\">%s</p><p class=\"remark\">%s</p></div>"
                .formatted(Html.escape(name), Html.escape(value), Html.escape(remark));
    }
}
