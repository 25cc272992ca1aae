package org.espalier.cli;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.pattern.Pattern;
import org.espalier.core.tensor.Tensors;
import org.espalier.prune.select.Selector;

/**
 * What this machine does at this moment with the threads that it was given, measured in a fraction of a second.
 *
 * @param operations floating-point operations per second of a product of two large matrices
 * @param bytes bytes per second that are read and written in converting half precision to float32
 * @param weights weights per second that are selected in the recipe's pattern
 * @param digested bytes per second of a checksum
 */
record MachineSpeed(double operations, double bytes, double weights, double digested) {
    private static final int SIDE = 1536;
    private static final int SELECTED_SIDE = 1024;
    private static final int CONVERTED = 1 << 24;
    private static final int DIGESTED = 1 << 23;
    private static final int REPEATS = 3;

    /** Measures; each time is the best of a few. */
    static MachineSpeed measure(Pattern pattern, double sparsity) {
        try (PointerScope scope = new PointerScope()) {
            Tensor matrix = torch.ones(new long[] {SIDE, SIDE}, Tensors.options(ScalarType.Float));
            Tensor half = torch.ones(new long[] {CONVERTED}, Tensors.options(ScalarType.BFloat16));
            Tensor score = torch.rand(SELECTED_SIDE, SELECTED_SIDE);
            byte[] content = new byte[DIGESTED];
            return new MachineSpeed(
                    2.0 * SIDE * SIDE * SIDE / seconds(() -> matrix.matmul(matrix).close()),
                    6.0 * CONVERTED / seconds(() -> half.to(ScalarType.Float).close()),
                    score.numel()
                            / seconds(
                                    () -> Selector.select(score, pattern, sparsity).keep().close()),
                    DIGESTED / seconds(() -> digest(content)));
        }
    }

    private static double seconds(Runnable work) {
        double best = Double.POSITIVE_INFINITY;
        for (int repeat = 0; repeat < REPEATS; repeat++) {
            long start = System.nanoTime();
            try (PointerScope scope = new PointerScope()) {
                work.run();
            }
            best = Math.min(best, (System.nanoTime() - start) * 1e-9);
        }
        return best;
    }

    private static void digest(byte[] content) {
        try {
            MessageDigest.getInstance("SHA-256").update(content);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
