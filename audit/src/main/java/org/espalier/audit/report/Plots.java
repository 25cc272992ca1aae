package org.espalier.audit.report;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.ToDoubleFunction;
import org.espalier.audit.receipt.LayerEntry;
import org.espalier.audit.receipt.Receipt;
import org.espalier.audit.report.LineChart.Series;
import org.espalier.core.progress.LineProgress;

/** Sparsity and error per layer and kind, the error of the blocks, and where the time went. */
final class Plots {
    private final Receipt receipt;
    private final List<String> kinds;
    private final int blocks;

    private Plots(Receipt receipt) {
        this.receipt = receipt;
        this.kinds = receipt.layers().stream().map(LayerEntry::kind).distinct().toList();
        this.blocks = receipt.layers().stream().mapToInt(LayerEntry::block).max().orElse(-1) + 1;
    }

    static String html(Receipt receipt) {
        Plots plots = new Plots(receipt);
        if (plots.blocks == 0) {
            return "";
        }
        List<String> figures = new ArrayList<>();
        figures.add(plots.sparsityMap());
        figures.add(plots.errorMap());
        figures.add(plots.errorLines());
        figures.add(plots.blockErrors());
        figures.add(plots.phases());
        return "<section>\n<h2>Layer by layer</h2>\n<div class=\"plots\">\n"
                + String.join("\n", figures.stream().filter(f -> !f.isEmpty()).toList())
                + "\n</div>\n</section>";
    }

    private String sparsityMap() {
        return map(
                "Sparsity",
                "Fraction of the weights removed, by kind of matrix and block.",
                LayerEntry::sparsity);
    }

    private String errorMap() {
        return map("Relative error", errorMeaning(), LayerEntry::error);
    }

    private String map(String title, String caption, ToDoubleFunction<LayerEntry> figure) {
        double[][] values = grid(figure);
        double[] all =
                Arrays.stream(values)
                        .flatMapToDouble(Arrays::stream)
                        .filter(value -> !Double.isNaN(value))
                        .sorted()
                        .toArray();
        double least = all[0];
        double most = all[all.length - 1];
        String range =
                Html.number(least).equals(Html.number(most))
                        ? "All cells: " + Html.number(least) + "."
                        : "Palest " + Html.number(least) + ", strongest " + Html.number(most) + ".";
        HeatMap drawing = new HeatMap(title, caption + " " + range, kinds, values, least, most);
        return figure(
                title, "<div class=\"scroll\">" + drawing.svg() + "</div>", caption + " " + range);
    }

    private String errorLines() {
        double[][] values = grid(LayerEntry::error);
        List<Series> lines = new ArrayList<>();
        for (int kind = 0; kind < kinds.size(); kind++) {
            lines.add(new Series(kinds.get(kind), Arrays.stream(values[kind]).boxed().toList()));
        }
        String caption = "The same errors along the depth of the model, one line per kind.";
        return figure(
                "Relative error by depth",
                new LineChart("Relative error by depth", caption, lines, blocks).html(),
                caption);
    }

    private String blockErrors() {
        List<Double> errors =
                receipt.blocks().stream()
                        .map(block -> Objects.requireNonNullElse(block.outputError(), Double.NaN))
                        .toList();
        if (errors.stream().allMatch(error -> error.isNaN())) {
            return "";
        }
        String caption =
                "||y-y'||² / ||y||² of each block's output, dense against pruned weights on the same input.";
        LineChart chart =
                new LineChart(
                        "Error of the block outputs",
                        caption,
                        List.of(new Series("block output", errors)),
                        blocks);
        return figure("Error of the block outputs", chart.html(), caption);
    }

    private String phases() {
        double most =
                receipt.run().phases().stream()
                        .mapToDouble(phase -> phase.seconds())
                        .max()
                        .orElse(0);
        if (most <= 0) {
            return "";
        }
        StringBuilder rows = new StringBuilder("<table class=\"bars\"><tbody>");
        for (var phase : receipt.run().phases()) {
            rows.append("<tr><th scope=\"row\">")
                    .append(Html.escape(phase.name()))
                    .append("</th><td><span class=\"bar\" style=\"width:")
                    .append(Html.format("%.1f", Math.max(0.5, phase.seconds() / most * 100)))
                    .append("%\"></span></td><td class=\"figure\">")
                    .append(LineProgress.duration(phase.seconds()))
                    .append("</td></tr>");
        }
        return figure(
                "Where the time went",
                rows.append("</tbody></table>").toString(),
                "Wall time by phase, "
                        + LineProgress.duration(receipt.run().seconds())
                        + " in all.");
    }

    private String errorMeaning() {
        String kind = receipt.layers().getFirst().errorKind();
        return switch (kind) {
            case "output" -> "||X(W-W')ᵀ||² / ||XWᵀ||² on the calibration inputs.";
            case "output-diagonal" ->
                    "||X(W-W')ᵀ||² / ||XWᵀ||² on the calibration inputs, as if the input features were uncorrelated.";
            default -> "||W-W'||² / ||W||²: no inputs were seen.";
        };
    }

    /** [kind][block], NaN where a block has none; the mean weighted by size where a block has several matrices of a kind. */
    private double[][] grid(ToDoubleFunction<LayerEntry> figure) {
        double[][] sums = new double[kinds.size()][blocks];
        double[][] sizes = new double[kinds.size()][blocks];
        for (LayerEntry layer : receipt.layers()) {
            int kind = kinds.indexOf(layer.kind());
            sums[kind][layer.block()] += figure.applyAsDouble(layer) * layer.size();
            sizes[kind][layer.block()] += layer.size();
        }
        double[][] grid = new double[kinds.size()][blocks];
        for (int kind = 0; kind < kinds.size(); kind++) {
            for (int block = 0; block < blocks; block++) {
                double size = sizes[kind][block];
                grid[kind][block] = size > 0 ? sums[kind][block] / size : Double.NaN;
            }
        }
        return grid;
    }

    private static String figure(String title, String content, String caption) {
        return "<figure class=\"plot\"><h3>%s</h3>%s<figcaption>%s</figcaption></figure>"
                .formatted(Html.escape(title), content, Html.escape(caption));
    }
}
