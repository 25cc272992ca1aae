package org.espalier.audit.report;

import java.util.ArrayList;
import java.util.List;

/** One line per series over the decoder blocks, from zero upwards. */
final class LineChart {
    private static final int WIDTH = 380;
    private static final int HEIGHT = 230;
    private static final int LEFT = 46;
    private static final int RIGHT = 10;
    private static final int TOP = 12;
    private static final int BOTTOM = 38;

    /** Distinct strokes beside distinct colours, for readers who do not tell the colours apart. */
    private static final String[] DASHES = {"", "6 3", "2 2", "8 3 2 3", "1 3", "10 4", "4 2 1 2"};

    private final String title;
    private final String description;
    private final List<Series> series;
    private final int blocks;

    /**
     * A line.
     *
     * @param name what it shows
     * @param values one per block; a NaN interrupts the line
     */
    record Series(String name, List<Double> values) {}

    LineChart(String title, String description, List<Series> series, int blocks) {
        this.title = title;
        this.description = description;
        this.series = series;
        this.blocks = blocks;
    }

    /** The drawing, with a legend where there is more than one line. */
    String html() {
        StringBuilder legend = new StringBuilder();
        if (series.size() > 1) {
            legend.append("<ul class=\"legend\" aria-hidden=\"true\">");
            for (int i = 0; i < series.size(); i++) {
                legend.append("<li><svg width=\"26\" height=\"10\" viewBox=\"0 0 26 10\">")
                        .append("<path ")
                        .append(stroke(i))
                        .append(" d=\"M1 5H25\"/></svg>")
                        .append(Html.escape(series.get(i).name()))
                        .append("</li>");
            }
            legend.append("</ul>");
        }
        return svg() + legend;
    }

    private String svg() {
        double step = Ticks.step(most(), 4);
        double ceiling = Math.max(step, Math.ceil(most() / step - 1e-9) * step);
        List<String> parts = new ArrayList<>();
        parts.add(Svg.open(WIDTH, HEIGHT, title, description, false));
        for (int tick = 0; tick * step <= ceiling + step / 2; tick++) {
            double y = y(tick * step, ceiling);
            parts.add(Svg.line(LEFT, y, WIDTH - RIGHT, y, tick == 0 ? "axis" : "grid"));
            parts.add(Svg.text(LEFT - 6, y + 4, "end", Ticks.label(tick * step, step)));
        }
        int every = Math.max(1, (blocks + 9) / 10);
        for (int block = 0; block < blocks; block += every) {
            parts.add(Svg.text(x(block), HEIGHT - BOTTOM + 16, "middle", Integer.toString(block)));
        }
        parts.add(Svg.text((LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 5, "middle", "decoder block"));
        for (int i = 0; i < series.size(); i++) {
            parts.add(line(i, ceiling));
        }
        parts.add("</svg>");
        return String.join("", parts);
    }

    private String line(int index, double ceiling) {
        StringBuilder path = new StringBuilder();
        StringBuilder points = new StringBuilder();
        boolean pen = false;
        List<Double> values = series.get(index).values();
        for (int block = 0; block < values.size(); block++) {
            double value = values.get(block);
            if (!Double.isFinite(value)) {
                pen = false;
                continue;
            }
            String x = Html.coordinate(x(block));
            String y = Html.coordinate(y(value, ceiling));
            path.append(pen ? "L" : "M").append(x).append(' ').append(y);
            if (blocks <= 40) {
                String tip =
                        series.get(index).name() + ", block " + block + ": " + Html.number(value);
                points.append(
                        "<circle class=\"s%d\" cx=\"%s\" cy=\"%s\" r=\"2.6\"><title>%s</title></circle>"
                                .formatted(index % DASHES.length, x, y, Html.escape(tip)));
            }
            pen = true;
        }
        return "<path " + stroke(index) + " d=\"" + path + "\"/>" + points;
    }

    private static String stroke(int index) {
        String dash = DASHES[index % DASHES.length];
        return "class=\"line s"
                + index % DASHES.length
                + "\""
                + (dash.isEmpty() ? "" : " stroke-dasharray=\"" + dash + "\"");
    }

    private double most() {
        return series.stream()
                .flatMap(line -> line.values().stream())
                .mapToDouble(Double::doubleValue)
                .filter(Double::isFinite)
                .max()
                .orElse(0);
    }

    private double x(int block) {
        double room = WIDTH - LEFT - RIGHT - 16;
        return LEFT + 8 + (blocks < 2 ? room / 2 : room * block / (blocks - 1));
    }

    private static double y(double value, double ceiling) {
        double room = HEIGHT - TOP - BOTTOM;
        return TOP + room * (1 - (ceiling > 0 ? value / ceiling : 0));
    }
}
