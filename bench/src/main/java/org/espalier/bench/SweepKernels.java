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
 * The sweep of a tile of {@link Kernels#ROWS} rows of a block, half of it removed, scalar and vector. Run by {@code bench/run SweepKernels}; the
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
    private float[] tile = {};
    private float[] factor = {};
    private final float[] errors = new float[Kernels.STRIP * Kernels.ROWS];
    private boolean[] gone = {};

    /** Makes a tile and a factor near the identity, so that repeated sweeps stay in range. */
    @Setup
    public void prepare() {
        Random random = new Random(columns);
        chosen = Kernels.named(kernels);
        start = new float[columns * Kernels.ROWS];
        tile = new float[columns * Kernels.ROWS];
        gone = new boolean[columns * Kernels.ROWS];
        for (int index = 0; index < start.length; index++) {
            start[index] = (float) random.nextGaussian();
            gone[index] = random.nextBoolean();
        }
        factor = new float[columns * columns];
        for (int column = 0; column < columns; column++) {
            factor[column * columns + column] = 1;
            for (int later = column + 1; later < columns; later++) {
                factor[column * columns + later] = 0.1f * (float) random.nextGaussian();
            }
        }
    }

    /** Copies the tile in, as the solver does, and sweeps it. */
    @Benchmark
    public float[] sweep() {
        System.arraycopy(start, 0, tile, 0, start.length);
        for (int from = 0; from < columns; from += Kernels.STRIP) {
            int to = Math.min(columns, from + Kernels.STRIP);
            chosen.visit(tile, factor, columns, from, to, to, gone, errors, 0);
            chosen.spread(tile, factor, columns, from, to, to, errors, 0);
        }
        return tile;
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
