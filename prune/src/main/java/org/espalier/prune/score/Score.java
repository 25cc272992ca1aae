package org.espalier.prune.score;

import java.util.Set;
import org.bytedeco.pytorch.Tensor;
import org.espalier.prune.calibrate.LayerStatistics;
import org.espalier.prune.calibrate.Statistic;

/** Says how much each weight of a matrix matters. Implementations are pure: same tensors in, same tensor out. */
public interface Score {
    /** The statistics that {@link #score} reads; empty for scores that need no data. */
    Set<Statistic> needs();

    /**
     * Importance of each weight; larger means more important.
     *
     * @param weight float32 [out_features, in_features]
     * @param statistics at least what {@link #needs} names
     * @return float32 [out_features, in_features], finite and at least 0, a new tensor
     */
    Tensor score(Tensor weight, LayerStatistics statistics);
}
