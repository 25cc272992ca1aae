package org.espalier.cli;

import java.util.Locale;
import org.espalier.audit.language.Perplexity;

/** Figures as the commands print them, with a decimal point wherever the program runs. */
final class Words {
    private Words() {}

    @SuppressWarnings("AnnotateFormatMethod") // the annotation would be the only use of its library
    static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }

    static String perplexity(Perplexity perplexity) {
        return format("%.4f ± %.4f", perplexity.value(), perplexity.standardError());
    }

    static String percent(double fraction) {
        return format("%.2f %%", fraction * 100);
    }

    static String bytes(long bytes) {
        return bytes < 1_000_000
                ? format("%.1f kB", bytes / 1e3)
                : bytes < 1_000_000_000
                        ? format("%.2f MB", bytes / 1e6)
                        : format("%.2f GB", bytes / 1e9);
    }
}
