package org.espalier.cli;

import java.lang.foreign.ValueLayout;

/**
 * The real stderr, which the launcher keeps aside while the virtual machine starts. Java can write to no descriptor but
 * its three, and opening {@code /dev/fd/N} anew would begin at the start of a log file; so the descriptor is put back
 * in its place with {@code dup2}, for Java and native code alike, and nothing is late, out of order or written over.
 */
final class KeptStderr {
    private static final int STDERR = 2;

    private KeptStderr() {}

    /** Puts it back, where the launcher names it in {@code espalier.stderr}. */
    static void restore() {
        Integer kept = Integer.getInteger("espalier.stderr");
        if (kept == null) {
            return;
        }
        try {
            // Where this fails, messages go on through the launcher's filter.
            LibC.function("dup2", ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT)
                    .invoke((int) kept, STDERR);
            LibC.function("close", ValueLayout.JAVA_INT, ValueLayout.JAVA_INT).invoke((int) kept);
        } catch (Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("dup2 and close throw nothing", e);
        }
    }
}
