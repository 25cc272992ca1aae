package org.espalier.cli;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
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

    /** The first few names, and how many more there are. */
    static String some(List<String> names, int most) {
        String first = names.stream().limit(most).collect(Collectors.joining(", "));
        int more = names.size() - most;
        return more > 0 ? first + " and " + more + " more" : first;
    }

    static String bytes(long bytes) {
        return bytes < 1_000_000
                ? format("%.1f kB", bytes / 1e3)
                : bytes < 1_000_000_000
                        ? format("%.2f MB", bytes / 1e6)
                        : format("%.2f GB", bytes / 1e9);
    }
}
