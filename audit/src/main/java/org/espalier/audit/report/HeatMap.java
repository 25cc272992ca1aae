package org.espalier.audit.report;

import java.util.ArrayList;
import java.util.List;

/**
 * A grid of coloured cells, blocks from left to right and kinds of matrices from top to bottom. Its size is fixed in
 * pixels, so that its labels stay legible on a phone, where it scrolls sideways.
 */
final class HeatMap {
    private static final int LABELS = 46;
    private static final int HEIGHT = 26;
    private static final int AXIS = 34;

    private final String title;
    private final String description;
    private final List<String> kinds;
    private final double[][] values;
    private final double least;
    private final double most;

    /**
     * @param title what is shown
     * @param description the same in a sentence or two, for readers who cannot see it
     * @param kinds names of the rows
     * @param values [kind][block]; NaN where a block has no such matrix
     * @param least value of the palest colour
     * @param most value of the strongest colour
     */
    HeatMap(
            String title,
            String description,
            List<String> kinds,
            double[][] values,
            double least,
            double most) {
        this.title = title;
        this.description = description;
        this.kinds = kinds;
        this.values = values;
        this.least = least;
        this.most = most;
    }

    String svg() {
        int blocks = values.length == 0 ? 0 : values[0].length;
        int cell = blocks <= 8 ? 46 : blocks <= 16 ? 34 : 18;
        int width = LABELS + blocks * cell + 8;
        int height = kinds.size() * HEIGHT + AXIS;
        List<String> parts = new ArrayList<>();
        parts.add(Svg.open(width, height, title, description, true));
        for (int kind = 0; kind < kinds.size(); kind++) {
            int top = kind * HEIGHT;
            parts.add(Svg.text(LABELS - 8, top + HEIGHT / 2.0 + 4, "end", kinds.get(kind)));
            for (int block = 0; block < blocks; block++) {
                double value = values[kind][block];
                if (!Double.isNaN(value)) {
                    parts.add(cell(LABELS + block * cell, top, cell, kind, block, value));
                }
            }
        }
        int every = blocks <= 16 ? 1 : blocks <= 40 ? 4 : 8;
        for (int block = 0; block < blocks; block += every) {
            double centre = LABELS + (block + 0.5) * cell;
            parts.add(Svg.text(centre, height - AXIS + 14, "middle", Integer.toString(block)));
        }
        parts.add(Svg.text(LABELS + blocks * cell / 2.0, height - 4, "middle", "decoder block"));
        parts.add("</svg>");
        return String.join("", parts);
    }

    private String cell(int left, int top, int width, int kind, int block, double value) {
        double share = most > least ? (value - least) / (most - least) : 0.5;
        double strength = 0.06 + 0.94 * Math.max(0, Math.min(1, share));
        String figure = Html.number(value);
        String tip = "block " + block + ", " + kinds.get(kind) + ": " + figure;
        String box =
                "<rect class=\"cell\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"3\" fill-opacity=\"%s\"/>"
                        .formatted(
                                left + 1,
                                top + 1,
                                width - 2,
                                HEIGHT - 2,
                                Html.format("%.3f", strength));
        String label =
                width < 40
                        ? ""
                        : Svg.text(
                                left + width / 2.0,
                                top + HEIGHT / 2.0 + 4,
                                "middle",
                                figure,
                                strength > 0.55 ? "on" : "off");
        return "<g><title>" + Html.escape(tip) + "</title>" + box + label + "</g>";
    }
}
