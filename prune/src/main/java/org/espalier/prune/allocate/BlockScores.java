package org.espalier.prune.allocate;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.tensor.Tensors;
import org.espalier.prune.select.FloatChunks;
import org.espalier.prune.select.OrderStatistic;

/** Figures over the scores of a block as if its layers were one long list. */
final class BlockScores {
    private BlockScores() {}

    /** Number of scores, at least 1. */
    static long count(List<Tensor> scores) {
        long count = 0;
        for (Tensor score : scores) {
            count += score.numel();
        }
        if (count == 0) {
            throw new IllegalArgumentException("a block has no scores");
        }
        return count;
    }

    /** Arithmetic mean, summed in double precision. */
    static double mean(List<Tensor> scores) {
        double sum = 0;
        for (Tensor score : scores) {
            try (PointerScope scope = new PointerScope()) {
                sum += score.sum(new ScalarTypeOptional(ScalarType.Double)).item_double();
            }
        }
        return sum / count(scores);
    }

    /** The exact median; of an even number of scores the lower of the two in the middle, as libtorch has it. */
    static double median(List<Tensor> scores) {
        try (PointerScope scope = new PointerScope()) {
            List<MemorySegment> segments = new ArrayList<>();
            for (Tensor score : scores) {
                segments.add(Tensors.segment(score.contiguous()));
            }
            long rank = (count(scores) + 1) / 2;
            return OrderStatistic.cut(FloatChunks.of(segments), rank).value();
        }
    }
}
