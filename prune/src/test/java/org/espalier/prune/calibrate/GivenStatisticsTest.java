package org.espalier.prune.calibrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.bytedeco.javacpp.PointerScope;
import org.espalier.checkpoint.gguf.Imatrix;
import org.espalier.core.UserError;
import org.espalier.core.tensor.Tensors;
import org.espalier.network.Linear;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Importance matrices as statistics of the matrices of a model. */
class GivenStatisticsTest {
    @TempDir Path folder;

    /** An old file of one entry; {@code values} are sums over {@code calls}. */
    private GivenStatistics of(String name, int calls, float... values) throws IOException {
        byte[] utf8 = name.getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes =
                ByteBuffer.allocate(16 + utf8.length + 4 * values.length)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putInt(1)
                        .putInt(utf8.length)
                        .put(utf8)
                        .putInt(calls)
                        .putInt(values.length);
        for (float value : values) {
            bytes.putFloat(value);
        }
        Path file = folder.resolve("x.dat");
        Files.write(file, bytes.array());
        return new GivenStatistics(Imatrix.open(file));
    }

    private static Linear linear(String name, String kind, long columns) {
        return new Linear(name, 3, kind, 5, columns, false, Linear.BiasSlot.NONE);
    }

    private static float[] norms(GivenStatistics given, Linear linear) {
        try (PointerScope scope = new PointerScope()) {
            return Tensors.toFloats(given.of(linear).columnNorm());
        }
    }

    @Test
    void columnNormsAreRootMeanSquares() throws IOException {
        GivenStatistics given = of("blk.3.ffn_down.weight", 2, 2, 8, 0);
        assertThat(norms(given, linear("model.layers.3.mlp.down_proj", "down", 3)))
                .containsExactly(1, 2, 0);
        assertThatThrownBy(() -> norms(given, linear("model.layers.3.mlp.down_proj", "o", 3)))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("blk.3.attn_output.weight");
    }

    @Test
    void matricesWithOneInputStandInForEachOther() throws IOException {
        GivenStatistics given = of("blk.3.attn_q.weight", 1, 4, 9);
        assertThat(norms(given, linear("model.layers.3.self_attn.v_proj", "v", 2)))
                .containsExactly(2, 3);
    }

    @Test
    void expertsHaveTheirOwn() throws IOException {
        GivenStatistics given = of("blk.3.ffn_down_exps.weight", 1, 1, 1, 4, 9);
        assertThat(norms(given, linear("model.layers.3.mlp.experts.1.down_proj", "down", 2)))
                .containsExactly(2, 3);
        assertThatThrownBy(() ->
                        norms(given, linear("model.layers.3.mlp.experts.2.down_proj", "down", 2)))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("expert 2");
    }

    @Test
    void whatNeedsMoreIsRefusedWithTheReason() {
        assertThatCode(() -> GivenStatistics.require("wanda", Set.of(Statistic.SUM_OF_SQUARES)))
                .doesNotThrowAnyException();
        assertThatThrownBy(() -> GivenStatistics.require("sparsegpt", Set.of(Statistic.GRAM)))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("recipe sparsegpt needs the Gram matrix");
    }
}
