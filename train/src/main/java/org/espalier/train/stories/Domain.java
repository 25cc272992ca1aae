package org.espalier.train.stories;

import java.util.Locale;

/** Where a story plays; in the order of falling frequency. Each has its own trades, things, goods and places. */
public enum Domain {
    VILLAGE,
    HARBOUR,
    ORCHARD,
    SCHOOL,
    MARKET,
    WORKSHOP,
    FOREST;

    /** The name in the resource files. */
    String key() {
        return name().toLowerCase(Locale.ROOT);
    }
}
