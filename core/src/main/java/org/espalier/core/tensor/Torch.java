package org.espalier.core.tensor;

import java.util.function.Supplier;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.openblas.global.openblas;
import org.bytedeco.pytorch.global.torch;

/**
 * Process-wide settings of libtorch. Touching this class loads the native library (about a second), so command lines
 * that only print something must not.
 */
public final class Torch {
    private Torch() {}

    /**
     * Sets how many threads tensor work may use. ATen's loops and OpenBLAS count separately; a GEMM stays on all cores
     * until both are told. Freed tensors give their memory back to the system from here on.
     */
    public static void threads(int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("threads must be at least 1 but is " + threads);
        }
        NativeMemory.giveBackWhatIsFreed();
        torch.set_num_threads(threads);
        openblas.blas_set_num_threads(threads);
    }

    /**
     * Runs an operation whose ATen threads each call BLAS for their share, with one BLAS thread for each of them. With
     * more, the calls wait for one another and for the same few cores. Not for use by several threads at once.
     */
    public static <T> T withinAten(Supplier<T> operation) {
        int threads = openblas.blas_get_num_threads();
        openblas.blas_set_num_threads(1);
        try {
            return operation.get();
        } finally {
            openblas.blas_set_num_threads(threads);
        }
    }

    /** The threads that ATen's loops use now. */
    public static int threads() {
        return torch.get_num_threads();
    }

    /** The instruction set that libtorch's kernels use here, such as {@code AVX2}: the last bits of sums depend on it. */
    public static String capability() {
        try (BytePointer name = torch.get_cpu_capability()) {
            return name.getString();
        }
    }
}
