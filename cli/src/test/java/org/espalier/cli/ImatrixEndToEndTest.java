package org.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Tensor;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.core.tensor.Tensors;
import org.espalier.network.Block;
import org.espalier.network.Linear;
import org.espalier.prune.calibrate.Statistic;
import org.espalier.prune.calibrate.StatisticsCollector;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pruning with an importance matrix is pruning with the text that it was measured on, dense inputs. */
class ImatrixEndToEndTest {
    private static final Map<String, String> NAMES =
            Map.of(
                    "q",
                    "attn_q",
                    "k",
                    "attn_k",
                    "v",
                    "attn_v",
                    "o",
                    "attn_output",
                    "gate",
                    "ffn_gate",
                    "up",
                    "ffn_up",
                    "down",
                    "ffn_down");

    @TempDir Path folder;

    private static Path model() {
        return Runs.root().resolve("models/hedgerow-3m");
    }

    @Test
    void theMasksAreThoseOfTheText() throws IOException {
        StringBuilder ids = new StringBuilder("{\"input_ids\": [0");
        for (int i = 1; i < 200; i++) {
            ids.append(", ").append((i * 37) % 1000);
        }
        Path text = folder.resolve("ids.jsonl");
        Files.writeString(text, ids + "]}\n");
        Path imatrix = folder.resolve("x.dat");
        Files.write(imatrix, measured());
        Path recipe = folder.resolve("dense.yaml");
        Files.writeString(
                recipe,
                Files.readString(Runs.root().resolve("recipes/wanda.yaml"))
                        .replace("\nscore:", "\ninputs: dense\nscore:"));
        Path withText = folder.resolve("text");
        Path withMatrix = folder.resolve("matrix");
        done("--recipe", recipe, "--calibration", text, "--out", withText);
        done("--recipe", recipe, "--imatrix", imatrix, "--out", withMatrix);
        long different = 0;
        long all = 0;
        try (Checkpoint one = Checkpoint.open(withText);
                Checkpoint other = Checkpoint.open(withMatrix);
                PointerScope scope = new PointerScope()) {
            for (String name : one.tensors().keySet()) {
                different += Tensors.countTrue(one.tensor(name).ne(other.tensor(name)));
                all += one.tensors().get(name).elements();
            }
        }
        // Another factor of the norms rounds otherwise where two scores are almost the same.
        assertThat(different).isLessThan(all / 10_000);
    }

    @Test
    void whatAnImportanceMatrixCannotDoIsRefusedBeforeTheWork() throws IOException {
        Path imatrix = folder.resolve("x.dat");
        Files.write(imatrix, measured());
        Path out = folder.resolve("out");
        refused("needs the Gram matrix", "--recipe", "sparsegpt", "--imatrix", imatrix);
        refused("leave out --samples", "--imatrix", imatrix, "--samples", 3);
        assertThat(out).doesNotExist();
    }

    private void refused(String message, Object... arguments) {
        List<Object> all =
                new ArrayList<>(List.of("prune", model(), "--out", folder.resolve("out")));
        all.addAll(List.of(arguments));
        Runs.Outcome outcome = Runs.run(all.toArray());
        assertThat(outcome.code()).as(outcome.err()).isEqualTo(Main.USER_ERROR);
        assertThat(outcome.err()).hasLineCount(1).contains(message);
    }

    private static void done(Object... arguments) {
        List<Object> all =
                new ArrayList<>(List.of("prune", model(), "--windows", 1, "--threads", 1));
        all.addAll(List.of(arguments));
        Runs.Outcome outcome = Runs.run(all.toArray());
        assertThat(outcome.code()).as(outcome.err()).isZero();
    }

    /** An old file of what the dense model does with the ids of the text above. */
    private static byte[] measured() {
        long[] ids = new long[200];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = (i * 37L) % 1000;
        }
        ByteBuffer bytes = ByteBuffer.allocate(1 << 20).order(ByteOrder.LITTLE_ENDIAN);
        try (OpenModel open = OpenModel.open(model());
                AutoGradMode noGrad = Tensors.noGrad();
                PointerScope scope = new PointerScope()) {
            bytes.putInt(open.decoder().linears().size());
            Tensor hidden = open.decoder().embed(Tensors.longs(ids, 1, ids.length));
            for (int index = 0; index < open.decoder().blocks(); index++) {
                try (Block block = open.decoder().block(index);
                        StatisticsCollector collector =
                                new StatisticsCollector(List.of(Statistic.SUM_OF_SQUARES))) {
                    hidden = block.forward(hidden, collector);
                    for (Linear linear : block.linears()) {
                        String module = NAMES.getOrDefault(linear.kind(), "");
                        byte[] name =
                                ("blk." + index + "." + module + ".weight")
                                        .getBytes(StandardCharsets.UTF_8);
                        Tensor sums = collector.of(linear).sumOfSquares();
                        float[] values = sums == null ? new float[0] : Tensors.toFloats(sums);
                        bytes.putInt(name.length).put(name).putInt(200).putInt(values.length);
                        for (float value : values) {
                            bytes.putFloat(value);
                        }
                    }
                }
            }
        }
        return java.util.Arrays.copyOf(bytes.array(), bytes.position());
    }
}
