package org.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Objects;
import java.util.stream.Stream;
import org.espalier.checkpoint.SafetensorsFile;
import org.espalier.checkpoint.TensorInfo;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A checkpoint in which one weight is not a number, or infinite, is refused with the place of it, by every kind of recipe. */
class NotFiniteTest {
    private static final String TENSOR = "model.layers.1.self_attn.q_proj.weight";

    @TempDir Path folder;
    private TinyRun run;

    @BeforeEach
    void makeModel() throws IOException {
        run = TinyRun.in(folder);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"magnitude", "wanda", "sparsegpt", "alps", "magnitude-global", "owl-wanda"})
    void pruningNamesTheWeight(String recipe) throws IOException {
        poison(0x7fc0, 5);
        Path out = folder.resolve("out");
        Runs.Outcome outcome = run.run(out, recipe);
        assertThat(outcome.code()).as(outcome.err()).isEqualTo(Main.USER_ERROR);
        assertThat(outcome.err().lines().toList().getLast())
                .startsWith("espalier: ")
                .contains(TENSOR, "NaN", "row 0, column 5");
        assertThat(out).doesNotExist();
    }

    @Test
    void anInfinityIsNamedAsOne() throws IOException {
        poison(0xff80, 25);
        Runs.Outcome outcome = run.run(folder.resolve("out"), "wanda");
        assertThat(outcome.code()).isEqualTo(Main.USER_ERROR);
        assertThat(outcome.err()).contains("an infinity at row 1, column 1");
    }

    @Test
    void evaluatingSaysSo() throws IOException {
        poison(0x7fc0, 5);
        Runs.Outcome outcome = Runs.run("evaluate", run.model(), "--text", run.text());
        assertThat(outcome.code()).isEqualTo(Main.USER_ERROR);
        assertThat(outcome.err()).contains("likelihoods that are not numbers");
    }

    /** Overwrites one bfloat16 of the second block's first matrix, which has 24 columns. */
    private void poison(int bits, int index) throws IOException {
        Path shard = shard();
        long begin;
        try (SafetensorsFile file = SafetensorsFile.open(shard)) {
            TensorInfo info = Objects.requireNonNull(file.tensors().get(TENSOR));
            assertThat(info.shape()).containsExactly(24L, 24L);
            begin = info.begin();
        }
        try (FileChannel channel =
                FileChannel.open(shard, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            ByteBuffer length = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            channel.read(length, 0);
            long data = Long.BYTES + length.getLong(0);
            ByteBuffer value = ByteBuffer.allocate(Short.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            value.putShort(0, (short) bits);
            channel.write(value, data + begin + (long) index * Short.BYTES);
        }
    }

    private Path shard() throws IOException {
        try (Stream<Path> files = Files.list(run.model())) {
            for (Path file : files.toList()) {
                if (file.toString().endsWith(".safetensors")) {
                    try (SafetensorsFile shard = SafetensorsFile.open(file)) {
                        if (shard.tensors().containsKey(TENSOR)) {
                            return file;
                        }
                    }
                }
            }
        }
        throw new IllegalStateException("no shard has " + TENSOR);
    }
}
