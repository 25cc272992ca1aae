package org.espalier.prune.score;

import org.bytedeco.pytorch.Tensor;
import org.espalier.prune.calibrate.LayerStatistics;

/** Whether there are activations to weigh by. */
final class Activations {
    private Activations() {}

    /** False if no token came by, or all that came were zero; call it in a scope. */
    static boolean seen(LayerStatistics statistics) {
        if (statistics.tokens() == 0) {
            return false;
        }
        Tensor norm = statistics.columnNorm();
        return norm.any().item_bool();
    }
}
