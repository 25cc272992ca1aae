package org.espalier.audit.report;

import org.espalier.audit.receipt.LayerEntry;
import org.espalier.audit.receipt.Receipt;

/** Every matrix in a table, folded away. */
final class LayerTable {
    private LayerTable() {}

    static String html(Receipt receipt) {
        StringBuilder rows = new StringBuilder();
        for (LayerEntry layer : receipt.layers()) {
            rows.append("<tr><th scope=\"row\">")
                    .append(Html.escape(layer.name()))
                    .append("</th>")
                    .append(figure(layer.rows() + " × " + layer.columns()))
                    .append(figure(layer.pattern()))
                    .append(figure(Html.format("%.4f", layer.sparsity())))
                    .append(figure(Html.count(layer.removed())))
                    .append(figure(Html.count(layer.zeros())))
                    .append(figure(Html.number(layer.error())))
                    .append(
                            figure(
                                    layer.inputTokens() == 0
                                            ? "–"
                                            : Html.count(layer.inputTokens())))
                    .append(figure(layer.biasChanged() ? "changed" : "–"))
                    .append("</tr>\n");
        }
        return """
        <section>
        <details>
        <summary><h2>All %d matrices</h2></summary>
        <div class="scroll">
        <table class="layers">
        <thead><tr><th scope="col">matrix</th><th scope="col">shape</th><th scope="col">pattern</th><th scope="col">sparsity</th><th scope="col">removed</th><th scope="col">zeros</th><th scope="col">relative error</th><th scope="col">tokens</th><th scope="col">bias</th></tr></thead>
        <tbody>
        %s</tbody>
        </table>
        </div>
        </details>
        </section>\
        """
                .formatted(receipt.layers().size(), rows);
    }

    private static String figure(String text) {
        return "<td>" + Html.escape(text) + "</td>";
    }
}
