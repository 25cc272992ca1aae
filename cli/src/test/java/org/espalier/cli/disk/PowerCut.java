package org.espalier.cli.disk;

/** The machine is off: nothing that the process does reaches the disk any more. */
public final class PowerCut extends Error {
    private static final long serialVersionUID = 1;
}
