package org.espalier.audit.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.espalier.audit.language.Protocol;
import org.espalier.audit.receipt.FileEntry;
import org.espalier.audit.receipt.Quality;
import org.espalier.audit.receipt.Receipt;

/** Where everything came from: recipe, text, protocol, machine, files with their checksums. */
final class Origins {
    private Origins() {}

    static String html(Receipt receipt) {
        List<String> items = new ArrayList<>();
        items.add(item("Recipe", "<pre>" + Html.escape(yaml(receipt.recipe(), "")) + "</pre>"));
        Receipt.CalibrationEntry calibration = receipt.calibration();
        if (calibration != null) {
            items.add(item("Calibration", calibration(calibration, receipt.seed())));
        }
        Quality quality = receipt.quality();
        if (quality != null) {
            items.add(item("How perplexity was measured", protocol(quality)));
        }
        items.add(
                item(
                        "Run",
                        Html.element(
                                "p",
                                receipt.run().started()
                                        + ", "
                                        + receipt.run().system()
                                        + ", "
                                        + receipt.run().processors()
                                        + " processors, Java "
                                        + receipt.run().java()
                                        + ", seed "
                                        + receipt.seed()
                                        + ", dtype "
                                        + receipt.dtype())));
        Receipt.Remainder remainder = receipt.remainder();
        if (remainder != null && !remainder.isEmpty()) {
            items.add(item("What was not used", remainder(remainder)));
        }
        items.add(item("Files of the dense model", files(receipt.source().files())));
        items.add(item("Files written", files(receipt.files())));
        return "<section>\n<h2>How it was made</h2>\n" + String.join("\n", items) + "\n</section>";
    }

    private static String calibration(Receipt.CalibrationEntry calibration, long seed) {
        String line =
                calibration.samples()
                        + " sequences of up to "
                        + calibration.longest()
                        + " tokens, "
                        + Html.count(calibration.tokens())
                        + " in all, from "
                        + calibration.file()
                        + " with seed "
                        + seed
                        + ".";
        StringBuilder text = new StringBuilder(Html.element("p", line));
        calibration.notes().forEach(note -> text.append(Html.element("p", note)));
        return text.append("<p><code class=\"sum\">")
                .append(calibration.sha256())
                .append("</code></p>")
                .toString();
    }

    private static String remainder(Receipt.Remainder remainder) {
        StringBuilder text = new StringBuilder();
        remainder.notes().forEach(note -> text.append(Html.element("p", note)));
        if (!remainder.tensors().isEmpty()) {
            text.append(
                    Html.element(
                            "p",
                            "Copied, though the network does not read them: "
                                    + String.join(", ", remainder.tensors())));
        }
        if (!remainder.files().isEmpty()) {
            text.append(
                    Html.element(
                            "p", "Files left behind: " + String.join(", ", remainder.files())));
        }
        return text.toString();
    }

    private static String protocol(Quality quality) {
        Protocol protocol = quality.protocol();
        return Html.element(
                "p",
                protocol.text()
                        + ", windows of "
                        + protocol.window()
                        + " tokens at a stride of "
                        + protocol.stride()
                        + ", "
                        + quality.after().windows()
                        + " windows, "
                        + Html.count(quality.after().predictions())
                        + " predictions; beginning of the text: "
                        + protocol.beginning()
                        + "; shorter window at the end: "
                        + protocol.tail()
                        + ". ± is one standard error.");
    }

    private static String files(List<FileEntry> files) {
        StringBuilder rows = new StringBuilder();
        for (FileEntry file : files) {
            rows.append("<tr><th scope=\"row\">")
                    .append(Html.escape(file.name()))
                    .append("</th><td>")
                    .append(Html.bytes(file.bytes()))
                    .append("</td><td><code class=\"sum\">")
                    .append(Html.escape(file.sha256()))
                    .append("</code></td></tr>\n");
        }
        return "<div class=\"scroll\"><table><thead><tr><th scope=\"col\">file</th><th scope=\"col\">size</th>"
                + "<th scope=\"col\">SHA-256</th></tr></thead><tbody>\n"
                + rows
                + "</tbody></table></div>";
    }

    private static String item(String name, String content) {
        return "<h3>" + Html.escape(name) + "</h3>\n" + content;
    }

    private static String yaml(Map<?, ?> map, String indent) {
        StringBuilder text = new StringBuilder();
        map.forEach((key, value) -> {
            text.append(indent).append(key).append(':');
            if (value instanceof Map<?, ?> inner) {
                text.append('\n').append(yaml(inner, indent + "  "));
            } else {
                text.append(' ').append(scalar(value)).append('\n');
            }
        });
        return text.toString();
    }

    /** A value as YAML reads it back: text that could be taken for a number or for syntax stands in quotes. */
    private static String scalar(Object value) {
        boolean plain = !(value instanceof String text) || text.matches("[A-Za-z][A-Za-z0-9_-]*");
        return plain
                ? value.toString()
                : "\"" + value.toString().replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
    }
}
