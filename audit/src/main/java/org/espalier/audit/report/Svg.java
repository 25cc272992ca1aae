package org.espalier.audit.report;

/** The few elements of SVG that the plots are made of. */
final class Svg {
    private Svg() {}

    /**
     * Opens a drawing with its text alternative.
     *
     * @param fixed whether it keeps its size in pixels; otherwise it fills the width that it gets
     */
    static String open(int width, int height, String title, String description, boolean fixed) {
        String size = fixed ? "width=\"" + width + "\" height=\"" + height + "\" " : "";
        String label = Html.escape(title + ". " + description);
        return "<svg xmlns=\"http://www.w3.org/2000/svg\" "
                + size
                + "viewBox=\"0 0 "
                + width
                + " "
                + height
                + "\" role=\"img\" aria-label=\""
                + label
                + "\">";
    }

    static String text(double x, double y, String anchor, String content) {
        return text(x, y, anchor, content, "label");
    }

    static String text(double x, double y, String anchor, String content, String style) {
        return "<text class=\""
                + style
                + "\" x=\""
                + Html.coordinate(x)
                + "\" y=\""
                + Html.coordinate(y)
                + "\" text-anchor=\""
                + anchor
                + "\">"
                + Html.escape(content)
                + "</text>";
    }

    static String line(double x1, double y1, double x2, double y2, String style) {
        return "<line class=\""
                + style
                + "\" x1=\""
                + Html.coordinate(x1)
                + "\" y1=\""
                + Html.coordinate(y1)
                + "\" x2=\""
                + Html.coordinate(x2)
                + "\" y2=\""
                + Html.coordinate(y2)
                + "\"/>";
    }
}
