package org.espalier.audit.report;

/** Round numbers for an axis that begins at zero. */
final class Ticks {
    private Ticks() {}

    /** The smallest of 1, 2, 2.5 or 5 times a power of ten that reaches {@code most} in at most {@code count} steps. */
    static double step(double most, int count) {
        if (!(most > 0)) {
            return 1;
        }
        double rough = most / count;
        double power = Math.pow(10, Math.floor(Math.log10(rough)));
        for (double factor : new double[] {1, 2, 2.5, 5}) {
            if (factor * power >= rough * (1 - 1e-9)) {
                return factor * power;
            }
        }
        return 10 * power;
    }

    /** A tick with as many decimals as its step needs. */
    static String label(double value, double step) {
        if (value == 0) {
            return "0";
        }
        if (step >= 1e5 || step < 1e-4) {
            return Html.format("%.1e", value);
        }
        int decimals = 0;
        double scaled = step;
        while (decimals < 6 && Math.abs(scaled - Math.rint(scaled)) > 1e-6) {
            scaled *= 10;
            decimals++;
        }
        return Html.format("%." + decimals + "f", value);
    }
}
