package org.espalier.audit.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import org.espalier.audit.receipt.Quality;
import org.espalier.audit.receipt.Receipt;

/**
 * {@code report.html}: the receipt for people. One file that loads nothing, legible on a phone and in the dark. It is
 * drawn from the receipt alone, so the same receipt gives the same bytes and a changed page is found.
 */
public final class Report {
    /** Name of the report in its folder. */
    public static final String NAME = "report.html";

    private Report() {}

    /** The page. */
    public static String html(Receipt receipt) {
        String title = receipt.source().name() + " pruned with " + receipt.recipeName();
        return """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
        <title>%s</title>
        <style>
        %s</style>
        </head>
        <body>
        <header>
        <p class="brand">Espalier %s</p>
        <h1>%s</h1>
        <p class="lead">%s</p>
        </header>
        <main>
        %s
        </main>
        <footer><p>Every figure that can be derived again is checked by <code>espalier verify</code>; the whole account is in <code>espalier.json</code> beside this page.</p></footer>
        </body>
        </html>
        """
                .formatted(
                        Html.escape(title),
                        style(),
                        Html.escape(receipt.espalier()),
                        Html.escape(title),
                        Html.escape(lead(receipt)),
                        String.join("\n", sections(receipt)));
    }

    private static List<String> sections(Receipt receipt) {
        return java.util.stream.Stream.of(
                        Cards.html(receipt),
                        Plots.html(receipt),
                        samples(receipt),
                        unreached(receipt),
                        leftDense(receipt),
                        LayerTable.html(receipt),
                        Origins.html(receipt))
                .filter(section -> !section.isEmpty())
                .toList();
    }

    private static String lead(Receipt receipt) {
        Receipt.Totals totals = receipt.totals();
        String lead =
                Html.percent(totals.sparsity())
                        + " of the "
                        + Html.count(totals.prunable())
                        + " weights in "
                        + receipt.layers().size()
                        + " matrices were removed";
        Quality quality = receipt.quality();
        if (quality == null) {
            return lead + ". What it cost was not measured: no text was given.";
        }
        return lead
                + "; perplexity went from "
                + Html.number(quality.before().value())
                + " to "
                + Html.number(quality.after().value())
                + ".";
    }

    private static String samples(Receipt receipt) {
        Quality quality = receipt.quality();
        if (quality == null || quality.samples().isEmpty()) {
            return "";
        }
        return quality.samples().stream()
                .map(sample ->
                        """
                        <section>
                        <h2>The same beginning, before and after</h2>
                        <p>Both models go on greedily after <q>%s</q></p>
                        <div class="pair">
                        <figure><figcaption>Dense</figcaption><blockquote>%s</blockquote></figure>
                        <figure><figcaption>Pruned</figcaption><blockquote>%s</blockquote></figure>
                        </div>
                        </section>\
                        """
                                .formatted(
                                        Html.escape(sample.prompt()),
                                        Html.escape(sample.before()),
                                        Html.escape(sample.after())))
                .collect(Collectors.joining("\n"));
    }

    /** Layers that the calibration text says nothing about, such as experts that the router never chose. */
    private static String unreached(Receipt receipt) {
        List<String> names =
                receipt.layers().stream()
                        .filter(layer -> layer.inputTokens() == 0)
                        .map(layer -> Html.element("li", layer.name()))
                        .toList();
        if (receipt.calibration() == null || names.isEmpty()) {
            return "";
        }
        return """
        <section>
        <h2>Reached by no calibration token</h2>
        <p>These matrices were pruned by magnitude, and their remaining weights were left as they are.</p>
        <ul>%s</ul>
        </section>\
        """
                .formatted(String.join("", names));
    }

    /** Matrices that the recipe protects. */
    private static String leftDense(Receipt receipt) {
        if (receipt.leftDense().isEmpty()) {
            return "";
        }
        return """
        <section>
        <h2>Left dense</h2>
        <p>The recipe protects these matrices; they are as they were, and the sparsity above does not count them.</p>
        <ul>%s</ul>
        </section>\
        """
                .formatted(
                        receipt.leftDense().stream()
                                .map(name -> Html.element("li", name))
                                .collect(Collectors.joining()));
    }

    private static String style() {
        try (InputStream in =
                Objects.requireNonNull(Report.class.getResourceAsStream("report.css"))) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
