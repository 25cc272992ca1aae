package org.espalier.audit.verify;

import java.util.List;

/**
 * What came of deriving a receipt again. All lists hold one line each.
 *
 * @param differences what is not as the receipt says; empty if nothing was found
 * @param added names of files that came later and that nothing reads: what hubs and copy tools leave behind
 * @param checked what was derived beside the files and the zeros, which always are
 * @param unchecked claims of the receipt that were not derived, with the reason or what it takes
 */
public record Findings(
        List<String> differences,
        List<String> added,
        List<String> checked,
        List<String> unchecked) {
    public Findings {
        differences = List.copyOf(differences);
        added = List.copyOf(added);
        checked = List.copyOf(checked);
        unchecked = List.copyOf(unchecked);
    }
}
