package org.espalier.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.core.progress.Progress;
import org.espalier.core.tensor.Tensors;
import org.espalier.network.Linear;

/**
 * The prunable matrices of one kind.
 *
 * @param kind what they do in their block
 * @param matrices how many there are
 * @param shapes their shapes [out_features, in_features]
 * @param weights numbers in them
 * @param zeros of which are zero
 */
record MatrixKind(String kind, int matrices, List<List<Long>> shapes, long weights, long zeros) {
    double sparsity() {
        return (double) zeros / weights;
    }

    MatrixKind plus(Linear linear, long moreZeros) {
        List<List<Long>> all = new ArrayList<>(shapes);
        List<Long> shape = List.of(linear.rows(), linear.columns());
        if (!all.contains(shape)) {
            all.add(shape);
        }
        return new MatrixKind(
                kind, matrices + 1, List.copyOf(all), weights + linear.size(), zeros + moreZeros);
    }

    /** The kinds of a model, their zeros counted. */
    static List<MatrixKind> of(OpenModel open, Progress progress) {
        Map<String, MatrixKind> kinds = new LinkedHashMap<>();
        for (int block = 0; block < open.decoder().blocks(); block++) {
            progress.step("counting zeros of block", block, open.decoder().blocks());
            for (Linear linear : open.decoder().linears(block)) {
                long zeros = zeros(open.checkpoint(), linear.weightName());
                MatrixKind kind =
                        kinds.getOrDefault(
                                linear.kind(), new MatrixKind(linear.kind(), 0, List.of(), 0, 0));
                kinds.put(linear.kind(), kind.plus(linear, zeros));
            }
        }
        progress.step("counting zeros of block", open.decoder().blocks(), open.decoder().blocks());
        return List.copyOf(kinds.values());
    }

    private static long zeros(Checkpoint checkpoint, String tensor) {
        try (PointerScope scope = new PointerScope()) {
            return Tensors.countTrue(checkpoint.tensor(tensor).eq(new Scalar(0.0)));
        } finally {
            checkpoint.unload(tensor);
        }
    }
}
