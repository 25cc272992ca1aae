package org.espalier.cli;

import java.lang.management.ManagementFactory;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.espalier.core.UserError;

/** Amounts of memory as people write and read them. */
final class MemorySize {
    private static final Pattern FORM =
            Pattern.compile("(\\d+(?:\\.\\d+)?)\\s*([kmgt]?i?b?)", Pattern.CASE_INSENSITIVE);

    /** As for the virtual machine's options, a bare letter is binary. */
    private static final Map<String, Long> UNITS =
            Map.ofEntries(
                    Map.entry("b", 1L),
                    Map.entry("kb", 1_000L),
                    Map.entry("mb", 1_000_000L),
                    Map.entry("gb", 1_000_000_000L),
                    Map.entry("tb", 1_000_000_000_000L),
                    Map.entry("k", 1L << 10),
                    Map.entry("m", 1L << 20),
                    Map.entry("g", 1L << 30),
                    Map.entry("t", 1L << 40),
                    Map.entry("kib", 1L << 10),
                    Map.entry("mib", 1L << 20),
                    Map.entry("gib", 1L << 30),
                    Map.entry("tib", 1L << 40));

    private MemorySize() {}

    /** Reads {@code 4GiB}, {@code 6G} (the same as 6GiB), {@code 500MB}; a bare number is refused. */
    static long parse(String text) {
        Matcher matcher = FORM.matcher(text.strip());
        Long unit = matcher.matches() ? UNITS.get(matcher.group(2).toLowerCase(Locale.ROOT)) : null;
        double bytes = unit == null ? 0 : Double.parseDouble(matcher.group(1)) * unit;
        if (!(bytes >= 1) || bytes > 4e18) {
            throw new UserError(
                    "--memory takes an amount such as 4GiB, 6G or 500MB but is '" + text + "'");
        }
        return (long) bytes;
    }

    /** In GiB or MiB, rounded up, in a form that {@link #parse} reads. */
    static String words(long bytes) {
        if (bytes < 1L << 30) {
            return Math.ceilDiv(bytes, 1L << 20) + "MiB";
        }
        return Words.format("%.2fGiB", Math.ceil(bytes / (double) (1L << 30) * 100) / 100);
    }

    /** The memory that this process may use at all: that of the machine, or of its container. */
    static long ofMachine() {
        return ManagementFactory.getOperatingSystemMXBean()
                        instanceof com.sun.management.OperatingSystemMXBean system
                ? system.getTotalMemorySize()
                : Long.MAX_VALUE;
    }
}
