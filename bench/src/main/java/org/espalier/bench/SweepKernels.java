package org.espalier.bench;

import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.espalier.prune.solve.kernel.Kernels;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/**
 * The sweep of one row of a block, half of it removed, scalar and vector. Run by {@code bench/run SweepKernels}; the
 * two are compared to the bit by KernelsTest.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class SweepKernels {
    /** Which implementation. */
    @Param({"scalar", "vector"})
    public String kernels = "";

    /** Columns of the block: the default, and one that no vector divides. */
    @Param({"128", "101"})
    public int columns;

    private Kernels chosen = Kernels.named("scalar");
    private float[] start = {};
    private float[] row = {};
    private float[] factor = {};
    private float[] errors = {};
    private byte[] keep = {};

    /** Makes a row and a factor near the identity, so that repeated sweeps stay in range. */
    @Setup
    public void prepare() {
        Random random = new Random(columns);
        chosen = Kernels.named(kernels);
        start = new float[columns];
        row = new float[columns];
        errors = new float[columns];
        keep = new byte[columns];
        factor = new float[columns * columns];
        for (int column = 0; column < columns; column++) {
            start[column] = (float) random.nextGaussian();
            keep[column] = (byte) random.nextInt(2);
            factor[column * columns + column] = 1;
            for (int later = column + 1; later < columns; later++) {
                factor[column * columns + later] = 0.1f * (float) random.nextGaussian();
            }
        }
    }

    /** Copies the row in, as the solver does, and sweeps it. */
    @Benchmark
    public float[] sweep() {
        System.arraycopy(start, 0, row, 0, columns);
        chosen.sweep(row, 0, factor, columns, 0, columns, keep, errors);
        return row;
    }

    /** Runs both kernels at both widths. */
    public static void main(String[] arguments) throws RunnerException {
        new Runner(
                        new OptionsBuilder()
                                .include(SweepKernels.class.getName())
                                .jvmArgsAppend("--add-modules=jdk.incubator.vector")
                                .build())
                .run();
    }
}
