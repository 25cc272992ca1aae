package org.espalier.train.model;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Draws a loss curve as one HTML page that needs nothing else, readable on a phone and in the dark. */
final class LossPlot {
    private static final int WIDTH = 720;
    private static final int HEIGHT = 360;
    private static final int LEFT = 48;
    private static final int BOTTOM = 32;
    private static final int MOST_POINTS = 600;
    private static final int GRID_LINES = 5;

    private final List<LossCurve.Point> points;
    private final double lowest;
    private final double highest;

    private LossPlot(List<LossCurve.Point> points) {
        this.points = points;
        lowest = points.stream().mapToDouble(LossPlot::smaller).min().orElse(0);
        highest = points.stream().mapToDouble(LossCurve.Point::loss).max().orElse(1);
    }

    /** The page. */
    static String html(String title, List<LossCurve.Point> points) {
        LossPlot plot = new LossPlot(points);
        return """
        <!doctype html>
        <html lang="en">
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <title>%1$s</title>
        <style>
        :root { color-scheme: light dark; font-family: system-ui, sans-serif; }
        body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
        svg { width: 100%%; height: auto; }
        text { fill: currentColor; font-size: 12px; }
        .grid { stroke: currentColor; opacity: .15; }
        .loss { fill: none; stroke: light-dark(#7aa6d8, #4f79a8); stroke-width: 1; }
        .held { fill: none; stroke: light-dark(#b3261e, #ff8a80); stroke-width: 2; }
        </style>
        <h1>%1$s</h1>
        <p>Cross-entropy in nats per token over steps: <span style="color:light-dark(#7aa6d8,#4f79a8)">training</span>,
        <span style="color:light-dark(#b3261e,#ff8a80)">held out</span>.</p>
        <svg viewBox="0 0 %2$d %3$d" role="img" aria-label="Loss over steps">
        %4$s
        <polyline class="loss" points="%5$s"/>
        <polyline class="held" points="%6$s"/>
        </svg>
        </html>
        """
                .formatted(title, WIDTH, HEIGHT, plot.grid(), plot.losses(), plot.heldOut());
    }

    private static double smaller(LossCurve.Point point) {
        Double heldOut = point.heldOut();
        return heldOut == null ? point.loss() : Math.min(point.loss(), heldOut);
    }

    private String losses() {
        int stride = Math.max(1, points.size() / MOST_POINTS);
        return points.stream()
                .filter(point -> point.step() % stride == 0)
                .map(point -> at(point.step(), point.loss()))
                .collect(Collectors.joining(" "));
    }

    private String heldOut() {
        return points.stream()
                .map(point -> heldOutAt(point.step(), point.heldOut()))
                .filter(text -> !text.isEmpty())
                .collect(Collectors.joining(" "));
    }

    private String heldOutAt(int step, @Nullable Double loss) {
        return loss == null ? "" : at(step, loss);
    }

    private String at(double step, double loss) {
        return String.format(Locale.ROOT, "%.1f,%.1f", horizontal(step), vertical(loss));
    }

    private double horizontal(double step) {
        return LEFT + step / points.getLast().step() * (WIDTH - LEFT - 8);
    }

    private double vertical(double loss) {
        double share = (loss - lowest) / Math.max(highest - lowest, 1e-9);
        return 8 + (1 - share) * (HEIGHT - BOTTOM - 8);
    }

    private String grid() {
        StringBuilder grid = new StringBuilder();
        for (int line = 0; line <= GRID_LINES; line++) {
            double loss = lowest + (highest - lowest) * line / GRID_LINES;
            double step = (double) points.getLast().step() * line / GRID_LINES;
            grid.append(
                    String.format(
                            Locale.ROOT,
                            "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
                                    + "<text x=\"4\" y=\"%.1f\">%.2f</text>"
                                    + "<text x=\"%.1f\" y=\"%d\" text-anchor=\"%s\">%.0f</text>%n",
                            LEFT,
                            WIDTH,
                            vertical(loss),
                            vertical(loss),
                            vertical(loss) + 4,
                            loss,
                            horizontal(step),
                            HEIGHT - 10,
                            line == GRID_LINES ? "end" : "middle",
                            step));
        }
        return grid.toString();
    }
}
