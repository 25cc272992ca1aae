package org.espalier.prune;

import java.util.function.Function;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.progress.Progress;
import org.espalier.core.recipe.Recipe;
import org.espalier.network.Decoder;
import org.espalier.network.Linear;
import org.espalier.prune.calibrate.Calibration;
import org.espalier.prune.calibrate.GivenStatistics;
import org.espalier.prune.calibrate.LayerStatistics;
import org.espalier.prune.calibrate.StatisticsCollector;
import org.espalier.prune.calibrate.Thrift;
import org.jspecify.annotations.Nullable;

/**
 * Everything that a walk through a network is about; its parts share it.
 *
 * @param plan what is to be done
 * @param decoder the dense model; it is never changed
 * @param calibration sequences to measure on; none where the method reads no data or the statistics are given
 * @param given what was measured elsewhere, in place of a calibration pass; or null
 * @param storage dtype that the tensor of this name is stored in
 * @param progress hears about each block
 * @param thrift how memory is spared
 */
record Walk(
        PrunePlan plan,
        Decoder decoder,
        Calibration calibration,
        @Nullable GivenStatistics given,
        Function<String, ScalarType> storage,
        Progress progress,
        Thrift thrift) {
    Method method() {
        return plan.method();
    }

    /** Whether each block is measured on what the pruned blocks before it give out. */
    boolean propagated() {
        return method().recipe().inputs() == Recipe.Inputs.PROPAGATED;
    }

    /** What is known of the input of a matrix. */
    LayerStatistics statistics(StatisticsCollector collector, Linear linear) {
        return given == null || !method().readsData() ? collector.of(linear) : given.of(linear);
    }

    /** A tensor as a reader of the result will see it, in the dtype in which it is stored. */
    Tensor stored(Tensor tensor, String name) {
        return tensor.to(storage.apply(name));
    }
}
