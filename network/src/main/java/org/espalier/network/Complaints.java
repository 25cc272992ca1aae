package org.espalier.network;

import java.util.List;

/** Many problems in one line. */
final class Complaints {
    /** A wrong config makes a problem of every tensor; the first few tell the story. */
    private static final int SHOWN = 6;

    private Complaints() {}

    static String join(List<String> problems) {
        String shown = String.join("; ", problems.subList(0, Math.min(SHOWN, problems.size())));
        int more = problems.size() - SHOWN;
        return more > 0 ? shown + "; and " + more + " more" : shown;
    }
}
